"""How work is run: coroutines from plain code, processes that end with their parent, and what a person sees of it."""
