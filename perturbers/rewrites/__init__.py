"""Perturbers of rewrites, one per file."""
