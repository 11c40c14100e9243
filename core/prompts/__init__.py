"""Prompts: the only place where dialogue text enters one. ``rewriting`` and ``answering`` have one kind of task each."""
