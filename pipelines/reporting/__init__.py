"""The report of a build, and the tables in it."""
