"""Evaluations and comparisons as JSON, Markdown and HTML."""
