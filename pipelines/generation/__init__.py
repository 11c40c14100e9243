"""The generation stage: which requests a build needs, and the process that sends them."""
