"""What people read, made of text that nobody has checked: Markdown, HTML, and what is printed on a terminal."""
