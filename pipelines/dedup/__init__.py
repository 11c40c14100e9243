"""What is left out because something like it is there already: duplicates, earlier builds, test sets."""
