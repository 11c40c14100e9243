"""``python -m pairwright``: the command line."""

from pairwright.cli.start import main

if __name__ == "__main__":
    main()
