"""Perturbers of dialogue answers and tool calls, one per file."""
