"""What ``benchmarks/chaos.py`` is made of: plans, builds, a server that fails, runs, and what must hold afterwards."""
