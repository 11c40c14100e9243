"""Recipe files, and putting one onto a build."""
