"""Metrics that need a model or passages, one per file; ``catalogue`` makes those that are asked for."""
