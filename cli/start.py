"""Where ``pairwright`` begins: nothing is imported yet, so a Ctrl-C during the half second of imports prints no traceback."""

import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        from pairwright.cli.app import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
