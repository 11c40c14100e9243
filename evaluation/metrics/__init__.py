"""Metrics of rewrites that need no model, one per file; ``catalogue`` lists them."""
