"""Recipes for the trainers, as files to read and copy: ``configs/*.yaml``, the command in the first comment."""
