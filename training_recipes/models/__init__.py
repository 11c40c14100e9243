"""What is known of students and trainers without loading them."""
