"""Deterministic judges, one per file."""
