"""Do two versions of the code build the same files from the same inputs and the same paid answers?

    python benchmarks/same_bytes.py REVISION [--only demo fine …]

Builds the shipped examples and one build that uses every stage, first with the code of ``REVISION`` (in a work tree and
an environment of its own), then with the code that lies here, both over one ledger. The second must send no request, and
every file that it writes must be the same, the build id masked. Prints a table; exits with 1 where anything differs.
About ten minutes on two cores, the environment included.

Hosted models are replaced by ``chaos_tools/scripted_model.py`` behind the fault server; the demo's embedded model is asked itself.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[1]
SERVER = ("-m", "pairwright.testing.fault_server")
SCRIPT = f"{ROOT / 'benchmarks' / 'chaos_tools' / 'scripted_model.py'}:answer"
EXAMPLES = ("demo", "train_demo", "answers", "chinese", "fine", "shop_answers")
RUBRICS = [{"use": "rubric", "endpoint": name, "dimensions": ["correctness", "clarity"]} for name in ("one", "two")]
EVERY_STAGE: Mapping[str, Any] = {
    "name": "every_stage",
    "output": "builds/every-stage",
    "seed": 11,
    "sources": [
        {"use": "files", "source": "cast19", "path": "examples/data/cast19.en.jsonl", "licence": "MIT"},
        {"use": "files", "source": "zh_gold", "path": "examples/data/zh_gold.jsonl", "licence": "Apache-2.0"},
        {"use": "files", "source": "dialogues_en", "path": "examples/data/dialogues.en.jsonl", "licence": "MIT"},
        {"use": "files", "source": "dialogues_zh", "path": "examples/data/dialogues.zh.jsonl", "licence": "Apache-2.0"},
    ],
    "evaluations": [{"use": "files", "source": "gecor", "path": "examples/data/gecor.en.jsonl", "licence": "CC-BY-4.0"}],
    "context": {"queries": "every"},
    "endpoints": {"teacher": {}, "judge": {}, "one": {}, "two": {}},
    "gate": {"use": "llm", "endpoint": "judge"},
    "generation": [{"role": "teacher", "endpoint": "teacher", "temperatures": [0.0, 0.7]}],
    "judges": [
        {"use": "leftover_reference"},
        {"use": "language_mismatch"},
        {"use": "panel", "members": RUBRICS, "rule": "mean", "threshold": 0.5},
    ],
    "comparison": {"use": "panel", "members": [{"use": "pairwise", "endpoint": "one"}, {"use": "pairwise", "endpoint": "two"}]},
    "improve": {"use": "fine", "endpoint": "judge"},
    "diversity": {},
    "perturbers": [{"use": "entity_deletion"}, {"use": "made_ambiguous"}, {"use": "over_edit"}, {"use": "leaked_example"}],
    "pairing": {"choose": "knockout", "verify": "judge"},
    "audit": {},
    "exports": [
        {"use": "llamafactory", "kto": True},
        {"use": "trl"},
        {"use": "openai"},
        {"use": "parquet"},
        {"use": "jsonl"},
        {"use": "card"},
    ],
    "limits": {"max_failure_rate": 0.5},
}  # fmt: skip


class Files(NamedTuple):
    """What a build left: SHA-256 of every file with the build id masked, and how many requests it sent."""

    exports: dict[str, str]
    others: dict[str, str]
    requests: int


def main() -> int:
    """Build with both trees and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="what to compare the code here with: a commit, a tag or a branch")
    parser.add_argument("--only", nargs="+", choices=[*EXAMPLES, "every_stage"], help="only these builds")
    options = parser.parse_args()
    names = options.only or [*EXAMPLES, "every_stage"]
    alike = True
    print(
        "| build | exported files | same | other files | same | requests, old | requests, new |\n|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory(prefix="pairwright-bytes-") as folder, scripted_server() as url:
        place = Path(folder)
        with work_tree(options.revision, place / "tree") as tree:
            for name in names:
                file = build_file(name, url, place)
                old, new = (built(code, file, place / side) for code, side in ((tree, "old"), (ROOT, "new")))
                same = [shared(old.exports, new.exports), shared(old.others, new.others)]
                cells = (len(old.exports), same[0], len(old.others), same[1], old.requests, new.requests)
                print(f"| {name} | {' | '.join(map(str, cells))} |", flush=True)
                for file_name in differing(old, new):
                    print(f"  differs: {file_name}", file=sys.stderr)
                alike = alike and not differing(old, new) and new.requests == 0 and bool(old.exports)
    return 0 if alike else 1


def shared(old: Mapping[str, str], new: Mapping[str, str]) -> int:
    """How many files are the same."""
    return len(old.items() & new.items())


def differing(old: Files, new: Files) -> list[str]:
    """The files that are not the same in both, or only in one."""
    one, other = ({**files.exports, **files.others} for files in (old, new))
    return sorted({name for name, _ in one.items() ^ other.items()})


@contextmanager
def work_tree(revision: str, folder: Path) -> Iterator[Path]:
    """The code of ``revision`` with the demo's environment."""
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(folder), revision], cwd=ROOT, check=True)
    # An environment that is active is not the one that make is to fill, whatever the Makefile of that revision says.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        for code in (folder, ROOT):
            command = ["make", "--silent", ".venv/.demo-ready", ".venv/.linked"]
            subprocess.run(command, cwd=code, env=environment, check=True)
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=ROOT, check=True)


@contextmanager
def scripted_server() -> Iterator[str]:
    """The URL of a running scripted model."""
    command = [sys.executable, *SERVER, "--port", "0", "--answer", SCRIPT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def build_file(name: str, url: str, place: Path) -> Path:
    """The build with hosted endpoints replaced, and its ledger beside both trees' outputs."""
    content: dict[str, Any] = (
        dict(EVERY_STAGE)
        if name == "every_stage"
        else yaml.safe_load((ROOT / "examples" / f"{name}.yaml").read_text(encoding="utf-8"))
    )
    content["ledger"] = str(place / f"{name}.sqlite")
    content["endpoints"] = {
        key: endpoint
        if endpoint.get("use") == "embedded"
        else {"base_url": url, "model": f"scripted-{key}", "max_concurrency": 8, "timeout": 60}
        for key, endpoint in content.get("endpoints", {}).items()
    }
    path = place / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def built(code: Path, file: Path, place: Path) -> Files:
    """Build ``file`` with the code in ``code``; ``place`` is the working directory, so that paths are the same."""
    place.mkdir(exist_ok=True)
    if not (place / "examples").exists():
        (place / "examples").symlink_to(ROOT / "examples")
    command = [str(code / ".venv" / "bin" / "pairwright"), "build", str(file)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{code} cannot build {file.name}:\n{done.stderr}")
    # A build without endpoints says nothing of requests.
    sent = re.search(r"^([\d,]+) requests were sent", done.stderr, re.MULTILINE)
    output = place / yaml.safe_load(file.read_text(encoding="utf-8"))["output"]
    build_id = json.loads((output / "manifest.json").read_bytes())["build"].encode()
    hashes = {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes().replace(build_id, b"BUILD")).hexdigest()
        for path in sorted(output.rglob("*"))
        # The resolved file names the ledger and the output, the lock is empty, the manifest repeats the hashes.
        if path.is_file() and path.name not in ("build.yaml", "build.lock", "build.files.json", "manifest.json")
    }
    exports = {name: digest for name, digest in hashes.items() if name.startswith("exports/")}
    others = {name: digest for name, digest in hashes.items() if name not in exports}
    return Files(exports, others, int(sent[1].replace(",", "")) if sent else 0)


if __name__ == "__main__":
    sys.exit(main())
