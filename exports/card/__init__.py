"""The data card, section by section."""
