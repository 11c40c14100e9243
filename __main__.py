"""``python -m pairwright``: the command line."""

from pairwright.cli.app import main

if __name__ == "__main__":
    main()
