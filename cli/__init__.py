"""The command line: everything that prints. It may call any other folder; none of them imports it."""
