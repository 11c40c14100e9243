"""Judges that decide together."""
