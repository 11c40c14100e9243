"""Judges and improvers that ask a language model, with their prompts as text files."""
