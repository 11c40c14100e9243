"""How good judges are, measured on texts whose quality is known."""
