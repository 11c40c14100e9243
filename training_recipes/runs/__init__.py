"""The stages of a run: their processes, logs, checkpoints and records."""
