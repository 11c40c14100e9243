"""Proof that a text is worse, found without knowing how it was made."""
