"""Raw rows become conversations, and conversations become tasks with a window of history."""
