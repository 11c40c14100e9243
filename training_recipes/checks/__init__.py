"""Everything that is wrong with a run, found before it starts."""
