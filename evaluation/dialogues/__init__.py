"""Answers over many turns: their rows, their metrics, their evaluation."""
