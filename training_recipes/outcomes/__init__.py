"""What came of a run: its models on held-out rows, tables and pictures."""
