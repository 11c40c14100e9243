"""How alike texts are, for many at once: shingles, MinHash, exact overlap. Knows nothing of tasks."""
