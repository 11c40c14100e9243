"""What a model is worth: rewrites and dialogues measured, compared and reported."""
