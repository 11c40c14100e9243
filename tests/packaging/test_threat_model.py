"""The threat model promises what a test holds, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from places import ROOT

PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
HELD_BY = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)))
CODE = [
    path
    for folder in re.findall(r"^ROOMS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[
        0
    ].split()
    for path in sorted((ROOT / folder).rglob("*.py"))
]
UNPICKLE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def test_every_promise_says_what_holds_it() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if re.match(r"\| (?!---|who|promised|\[)", line)]
    assert len(rows) > 40
    assert [said for said, held in rows if "::test_" not in held] == []


@pytest.mark.parametrize("file", sorted({file for file, _ in HELD_BY}))
def test_a_test_that_the_page_names_is_there(file: str) -> None:
    there = set(re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for one, name in HELD_BY if one == file} <= there


def running(source: str) -> Iterator[str]:
    """What in a module would run, or build objects from, what it reads."""
    tree = ast.parse(source)
    safe = {"SafeLoader", *(one.name for one in tree.body if isinstance(one, ast.ClassDef) and based_on_safe(one))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] in UNPICKLE)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNPICKLE:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            called, keys = ast.unparse(node.func), {key.arg: ast.unparse(key.value) for key in node.keywords}
            if called in (
                "eval",
                "exec",
                "compile",
                "os.system",
                "os.popen",
                "torch.load",
                "np.load",
                "yaml.unsafe_load",
            ):
                yield called
            if called in ("yaml.load", "yaml.load_all") and keys.get("Loader", "").rpartition(".")[2] not in safe:
                yield called
            yield from (key for key in ("shell", "trust_remote_code", "allow_pickle") if keys.get(str(key)) == "True")


def based_on_safe(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base) in ("yaml.SafeLoader", "SafeLoader") for base in node.bases)


def test_nothing_that_is_read_can_run() -> None:
    found = {str(path.relative_to(ROOT)): list(running(path.read_text(encoding="utf-8"))) for path in CODE}
    assert len(found) > 300
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "exec(text)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.FullLoader)",
        "subprocess.run(text, shell=True)",
        "torch.load(path)",
        "auto.from_pretrained(path, trust_remote_code=True)",
    ],
)
def test_what_would_run_is_found(line: str) -> None:
    assert len(list(running(line))) == 1


def test_what_is_harmless_is_left_alone() -> None:
    lines = "class L(yaml.SafeLoader): pass\nyaml.load(text, Loader=L)\nyaml.safe_load(text)\nast.literal_eval(text)\nmodel.eval()\nre.compile(text)"
    assert list(running(lines)) == []


def trusting(folder: Path) -> list[str]:
    recipes = [path for path in sorted(folder.glob("*.yaml")) if "trust_remote_code" in keys_of(path)]
    return [path.name for path in recipes if keys_of(path)["trust_remote_code"] is not False]


def keys_of(path: Path) -> dict[str, object]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_no_recipe_of_ours_trusts_remote_code(tmp_path: Path) -> None:
    configs = ROOT / "training_recipes" / "configs"
    assert len(list(configs.glob("*.yaml"))) > 40
    assert trusting(configs) == []
    (tmp_path / "planted.yaml").write_text("stage: sft\ntrust_remote_code: true\n", encoding="utf-8")
    assert trusting(tmp_path) == ["planted.yaml"]
