"""The forms in which a build is written, one per file."""
