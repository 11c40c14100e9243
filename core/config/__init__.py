"""The build file: its sections as frozen models, and the errors that explain what is wrong in one."""
