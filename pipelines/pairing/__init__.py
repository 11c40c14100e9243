"""From judged answers to balanced preference pairs, and to splits."""
