"""Does every extra resolve to wheels, for every Python that we name? Prints a table; ``make wheels`` runs it.

    python benchmarks/wheels.py [--platform x86_64-unknown-linux-gnu] [--python 3.11 3.12 3.13]

Asks the package registry through ``uv pip compile --only-binary :all:`` and installs nothing; takes some minutes.
Platforms are uv's: ``aarch64-apple-darwin``, ``aarch64-unknown-linux-gnu``; macOS 14 unless
``MACOSX_DEPLOYMENT_TARGET`` says otherwise.
A cell is the number of packages, and the name of each that has no wheel and is built from source. The rows with the
name of a file resolve its extras under the pinned versions that ``make demo`` and ``make test`` install.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = tuple(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
PINNED = {"constraints.txt": ("audit", "embedded", "en", "zh"), "constraints-train.txt": EXTRAS}
NO_WHEEL = re.compile(r"([\w-]+)(?:[=<>]=?[\w.]+)? has no usable wheels")
WHY = re.compile(r"Because (.+?)(?:,| and )")


def resolve(python: str, platform: str, extras: tuple[str, ...], constraints: str | None) -> str:
    """What the cell of the table says: packages, and which of them are built from source; or uv's last words."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--python-version", python, "--python-platform", platform, "--only-binary", ":all:"]
    command += [word for extra in extras for word in ("--extra", extra)]
    command += ["--constraint", constraints] if constraints else []
    env = {"MACOSX_DEPLOYMENT_TARGET": "14.0", **os.environ}
    built: list[str] = []
    while True:
        allowed = [word for name in built for word in ("--no-binary", name)]
        done = subprocess.run([*command, *allowed, "pyproject.toml"], cwd=ROOT, env=env, capture_output=True, text=True)
        if done.returncode == 0:
            lines = [line for line in done.stdout.splitlines() if "==" in line]
            return ", ".join([str(len(lines)), *(f"{name} from source" for name in built)])
        found = NO_WHEEL.search(done.stderr)
        if found is None or found[1] in built:
            return f"**no**: {WHY.findall(' '.join(done.stderr.split()))[0]}"
        built.append(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", default="x86_64-unknown-linux-gnu")
    parser.add_argument("--python", nargs="+", default=["3.11", "3.12", "3.13"])
    given = parser.parse_args()
    rows: dict[str, tuple[tuple[str, ...], str | None]] = {"none": ((), None)}
    rows |= {f"`{extra}`": ((extra,), None) for extra in EXTRAS}
    rows |= {f"`{name}`": (extras, name) for name, extras in PINNED.items()}
    print(f"{given.platform}\n\n| extra | {' | '.join(given.python)} |\n|---|{'---|' * len(given.python)}")
    failed = False
    for name, (extras, constraints) in rows.items():
        cells = [resolve(python, given.platform, extras, constraints) for python in given.python]
        failed = failed or any(cell.startswith("**no**") for cell in cells)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
