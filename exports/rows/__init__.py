"""Accepted answers and pairs as the texts and chats that a trainer reads, written and read back."""
