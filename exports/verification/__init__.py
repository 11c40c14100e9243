"""Every export loaded with the trainers' own code. The two ``*_loads`` modules run inside the trainers."""
