"""Files on disk: written whole or not at all, never over those of others, and errors in words of their own."""
