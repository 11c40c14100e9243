"""What judges are worth, measured against texts whose worth is known."""
