"""What goes to the Hugging Face Hub, and what speaks against it: licences, personal data."""
