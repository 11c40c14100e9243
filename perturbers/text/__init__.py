"""What perturbers know of texts: phrases, names, values, what a rewrite restored, and repair after an edit."""
