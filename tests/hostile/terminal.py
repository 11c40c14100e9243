"""Texts that steer a terminal, planted wherever a command shows what somebody else wrote.

Expected is one thing: nothing of it arrives. Neither output nor error output nor a text that lies in the build folder
(``*.md``, ``*.log``) has a control character but line feed and tab, an override of direction, a tag character, or a space
without width. No output is a terminal here, so colours of ours would be wrong as well. A traceback is no answer either.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hostile.commands import Call, in_a_process
from hostile.terminal_world import World, row

from pairwright.testing import factories

Expected = Literal["nothing arrives"]
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\U000e0000-\U000e007f]")

PAYLOADS = {
    "csi": "evil\x1b[31m红\x1b[2J\x1b[1;1H",
    "link": "evil\x1b]8;;x:y\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "恶意\x1b]52;c;ZWNobyBoaQ==\x07evil",
    "title": "evil\x1b]0;owned\x07",
    "c1": "evil\x9b31m恶\x9d0;t\x9c",
    "delete": "evil\x7f\x7fx",
    "bell": "恶evil\x07\x07",
    "backspace": "failed\b\b\b\b\b\bevil",
    "return": "failed evil\rall is well",
    "override": "evil\u202etxt.exe\u202c恶",
    "isolate": "evil\u2066abc\u2069",
    "tags": "evil\U000e0041\U000e0042",
    "zero-width": "e\u200bvil\u2060恶\ufeff evil",
}
PAYLOADS["all"] = " ".join(PAYLOADS.values())


Plant = Callable[[World, str], Sequence[str]]
"""Plants a text and gives the arguments of the command that meets it."""


class TerminalCase(NamedTuple):
    name: str
    kind: str
    plant: Plant
    text: str
    expected: Expected = "nothing arrives"


def _rows(command: str, **keys: str) -> Plant:
    """Rows whose ``keys`` are the text (the value is put around it)."""

    def plant(world: World, text: str) -> Sequence[str]:
        return [
            command,
            world.build_file([row(number, **{key: form % text for key, form in keys.items()}) for number in range(4)]),
        ]

    return plant


def _odd_rows(odd: Callable[[str], Any], command: str = "build") -> Plant:
    """Six good rows, and one that is read as a failure."""
    return lambda world, text: [command, world.build_file([*map(row, range(6)), odd(text)])]


def _keys(command: str, keys: Callable[[str], Mapping[str, Any]]) -> Plant:
    """Keys of the build file."""
    return lambda world, text: [command, world.build_file(**keys(text))]


_PARTS = '''
import warnings
from pairwright.core.components import Component
from pairwright.core.records import Rejected, Verdict

TEXT = {text!r}


class Raises(Component):
    """Raises, whatever it is asked."""

    name = "raises"

    def read(self):
        raise RuntimeError(TEXT)

    async def decide(self, case, ask):
        raise RuntimeError(TEXT)

    async def judge(self, case, candidates, ask):
        raise RuntimeError(TEXT)

    def perturb(self, case, chosen, rng):
        raise RuntimeError(TEXT)

    def export(self, build, folder):
        raise RuntimeError(TEXT)


class Says(Component):
    """Calls everything by the text."""

    name = "says"

    async def judge(self, case, candidates, ask):
        return [Verdict(judge=TEXT, passed=False, defect=TEXT, evidence=TEXT) for _ in candidates]

    def perturb(self, case, chosen, rng):
        yield Rejected(text=f"{{chosen.text}} {{TEXT}}", defect=TEXT, rejected_by=TEXT, template=TEXT, evidence=TEXT)


class Warns(Says):
    """Warns, and is content."""

    name = "warns"

    async def judge(self, case, candidates, ask):
        warnings.warn(TEXT)
        return [Verdict(judge="warns", passed=True) for _ in candidates]
'''


def _parts(role: str, part: str) -> Plant:
    """A component of somebody's own."""

    def plant(world: World, text: str) -> Sequence[str]:
        world.write("parts.py", _PARTS.format(text=text))
        component = {"use": f"parts:{part}"}
        return ["build", world.build_file(**{role: component if role == "gate" else [component]})]

    return plant


def _module(error: str, command: str = "check") -> Plant:
    """A module that cannot be imported."""

    def plant(world: World, text: str) -> Sequence[str]:
        world.write("parts.py", f"raise {error}({text!r})\n")
        return [command, world.build_file(judges=[{"use": "parts:Judge"}])]

    return plant


def _arguments(*arguments: str) -> Plant:
    """The text in the arguments, in place of ``%s``."""
    return lambda world, text: [one.replace("%s", text) for one in arguments]


def _shown(*arguments: str) -> Plant:
    """A finished build with the text in its rows, looked at: a folder of somebody else may hold what no build of ours writes."""

    def plant(world: World, text: str) -> Sequence[str]:
        pairs = []
        for language in ("en", "zh"):
            task = factories.task(f"{factories.QUERY[language]} {text}", language=language, domain=text)
            worse = factories.rejected(f"worse {text}", language, defect=text, rejected_by=text, evidence=text)
            pairs.append(factories.pair(task, f"better {text}", worse))
        sft = [factories.sft_row(pair.task, f"better {text}") for pair in pairs]
        factories.build_result(world.folder / "out", sft, pairs)
        world.write("out/manifest.json", json.dumps({"build": "cafe0123", "files": {}}))
        return [one.replace("%s", text).replace("%row", pairs[0].id) for one in arguments]

    return plant


def _manifest(world: World, text: str) -> Sequence[str]:
    (world.folder / "out" / "exports").mkdir(parents=True)
    world.write("out/manifest.json", json.dumps({"build": text, "files": {f"exports/{text}": "0"}}))
    return ["publish", "out", "someone/rows", "--dry-run"]


def _licence(world: World, text: str) -> Sequence[str]:
    source = {"use": "files", "source": "rows", "path": "rows.jsonl", "licence": text}
    return ["build", world.build_file(sources=[source])]


def _file(content: bytes | None, command: str = "check") -> Plant:
    """A source file whose name is the text."""

    def plant(world: World, text: str) -> Sequence[str]:
        name = f"{text.replace('/', '')[:60]}.jsonl"
        if content is not None:
            (world.folder / name).write_bytes(content)
        source = {"use": "files", "source": "rows", "path": name}
        return [command, world.build_file(sources=[source])]

    return plant


def _glob(world: World, text: str) -> Sequence[str]:
    world.write(f"x{text[:40]}.jsonl", "no json\n")
    source = {"use": "files", "source": "rows", "path": "x*.jsonl"}
    return ["build", world.build_file(sources=[source])]


def _raw_yaml(world: World, text: str) -> Sequence[str]:
    return ["check", str(world.write("build.yaml", f"name: small\noutput: {text}: [\n"))]


def _build_file_name(world: World, text: str) -> Sequence[str]:
    return ["check", world.build_file(name=f"{text}.yaml", nonsense=1)]


def _finish(world: World, text: str) -> Sequence[str]:
    return [
        "build",
        world.asking(lambda body: {"finish_reason": text, "message": {"role": "assistant", "content": text}}),
    ]


def _answers(world: World, text: str) -> Sequence[str]:
    said = json.dumps({"analysis": text, "needs_rewrite": True, "rewrite": f"Who? {text}"}, ensure_ascii=False)
    return ["preview", world.asking(lambda body: said), "--ask"]


def _refused(command: Sequence[str]) -> Plant:
    return lambda world, text: [command[0], world.asking(refuse=text), *command[1:]]


def _model(command: str) -> Plant:
    return lambda world, text: [command, world.asking(endpoint={"model": text})]


def _evaluated(world: World, text: str) -> Sequence[str]:
    rows = [
        row(number, query=f"{row(number)['query']} {text}", domain=text, lang="zh" if number % 2 else "en")
        for number in range(4)
    ]
    world.build_file(rows)
    said = "".join(json.dumps({"id": row["id"], "rewrite": text}) + "\n" for row in rows)
    return [
        "evaluate",
        "--test",
        "rows.jsonl",
        "--system",
        f"said={world.write('said.jsonl', said)}",
        "--output",
        "out",
    ]


def _bad_gold(world: World, text: str) -> Sequence[str]:
    return ["evaluate", "--test", str(world.write(f"{text}.jsonl", json.dumps({**row(0), "lang": text}) + "\n"))]


def _marked(world: World, text: str) -> Sequence[str]:
    marked = world.write(
        "marked.jsonl", json.dumps({**row(0, text="x", good=True), "history": [{"role": text, "content": "x"}]}) + "\n"
    )
    return ["calibrate", world.build_file(judges=[{"use": "language_mismatch"}]), "--marked", str(marked)]


def _perturbed(world: World, text: str) -> Sequence[str]:
    return ["perturb", "--query", f"When was he born? {text}", "--text", f"When was Frank Herbert born? {text}"]


_PLACES: tuple[tuple[str, str, Plant, str], ...] = (
    ("key-of-a-row", "row", _odd_rows(lambda text: {text: 1}), "return"),
    ("key-of-a-row-checked", "row", _odd_rows(lambda text: {text: 1}, "check"), "clipboard"),
    ("role", "row", _odd_rows(lambda text: {"messages": [{"role": text, "content": "hi"}]}), "c1"),
    ("language", "row", _odd_rows(lambda text: row(7, lang=text)), "title"),
    ("wrong-type", "row", _odd_rows(lambda text: row(7, query={text: text})), "override"),
    ("tool-name", "row", _odd_rows(lambda text: {"messages": [{"role": "user", "content": "hi"}], "tools": text}), "bell"),
    ("domain", "row", _rows("build", domain="%s"), "all"),
    ("dialogue-id", "row", _rows("build", id="%s", dialogue="%s"), "link"),
    ("query-previewed", "row", _rows("preview", query="谁？%s"), "all"),
    ("rewrite-previewed", "row", _rows("preview", rewrite="When was Frank Herbert born? %s"), "backspace"),
    ("file-missing", "file", _file(None), "title return"),
    ("file-broken", "file", _file(b"\xff\xfe no json\n", "build"), "csi"),
    ("file-empty", "file", _file(b""), "tags"),
    ("file-in-a-glob", "file", _glob, "override"),
    ("build-file-missing", "file", _arguments("check", "%s.yaml"), "csi"),
    ("build-file-name", "file", _build_file_name, "delete"),
    ("raw-yaml", "build file", _raw_yaml, "c1 return"),
    ("build-name", "build file", _keys("check", lambda text: {"name": text}), "csi"),
    ("source-name", "build file", _keys("check", lambda text: {"sources": [{"use": "files", "source": text, "path": "rows.jsonl"}]}), "clipboard"),
    ("unknown-key", "build file", _keys("check", lambda text: {text: 1}), "title isolate"),
    ("unknown-component", "build file", _keys("check", lambda text: {"judges": [{"use": text}]}), "backspace"),
    ("own-component-name", "build file", _keys("check", lambda text: {"judges": [{"use": f"os:{text}"}]}), "csi"),
    ("unknown-endpoint", "build file", _keys("plan", lambda text: {"judges": [{"use": "rubric", "endpoint": text}]}), "return"),
    ("output", "build file", _keys("build", lambda text: {"output": f"out/{text}"}), "csi"),
    ("licence", "build file", _licence, "link"),
    ("base-url", "build file", _keys("preview", lambda text: {"endpoints": {text: {"base_url": f"http://{text}/v1", "modell": "x"}}}), "override"),
    ("key-variable", "build file", _keys("check", lambda text: {"endpoints": {"t": {"base_url": "http://x/v1", "model": "x", "api_key_env": text}}, "generation": [{"role": "teacher", "endpoint": "t"}]}), "csi"),
    ("model-planned", "build file", _model("plan"), "title"),
    ("model-built", "build file", _model("build"), "zero-width"),
    ("server-refuses", "server", _refused(["build"]), "all"),
    ("server-refuses-preview", "server", _refused(["preview", "--ask"]), "csi"),
    ("server-finish-reason", "server", _finish, "clipboard"),
    ("server-answer-previewed", "server", _answers, "c1"),
    ("source-raises", "component", _parts("sources", "Raises"), "csi"),
    ("judge-raises", "component", _parts("judges", "Raises"), "return"),
    ("gate-raises", "component", _parts("gate", "Raises"), "title"),
    ("perturber-raises", "component", _parts("perturbers", "Raises"), "link"),
    ("exporter-raises", "component", _parts("exports", "Raises"), "backspace"),
    ("judge-says", "component", _parts("judges", "Says"), "all"),
    ("perturber-says", "component", _parts("perturbers", "Says"), "all"),
    ("judge-warns", "component", _parts("judges", "Warns"), "return"),
    ("module-raises", "component", _module("RuntimeError"), "csi"),
    ("module-misses", "component", _module("ImportError"), "bell"),
    ("module-exits", "component", _module("SystemExit"), "title"),
    ("pairs-shown", "shown", _shown("show", "out"), "all"),
    ("pairs-shown-by-defect", "shown", _shown("show", "out", "--defect", "%s"), "csi"),
    ("row-shown", "shown", _shown("show", "out", "--row", "%row"), "all"),
    ("row-not-there", "shown", _shown("show", "out", "--row", "%s"), "return"),
    ("folder-not-there", "shown", _arguments("show", "%s"), "c1"),
    ("perturb", "shown", _perturbed, "all"),
    ("gate-of-a-build", "shown", _arguments("gate", "--text", "谁？", "--build", "%s.yaml"), "csi"),
    ("evaluated", "shown", _evaluated, "all"),
    ("gold-broken", "shown", _bad_gold, "clipboard"),
    ("marked-broken", "shown", _marked, "title"),
    ("recipe-not-there", "shown", _arguments("recipes", "show", "%s"), "csi"),
    ("manifest-published", "shown", _manifest, "csi"),
    ("publish-folder", "shown", _arguments("publish", "%s", "a/b", "--dry-run"), "link"),
    ("unknown-option", "argument", _arguments("check", "--%s"), "csi return"),
    ("unknown-command", "argument", _arguments("%s"), "title c1"),
    ("no-tools", "argument", _arguments("perturb", "--query", "谁？", "--answer", "我。", "--tools", "%s"), "clipboard"),
    ("no-choice", "argument", _arguments("list", "%s"), "override"),
    ("one-too-many", "argument", _arguments("schema", "%s"), "backspace"),
    ("no-stage", "argument", lambda world, text: ["build", world.build_file(), "--until", text], "csi"),
    ("unknown-subcommand", "argument", _arguments("recipes", "%s"), "bell"),
    ("no-gate", "argument", _arguments("gate", "--text", "x", "--use", "%s"), "delete"),
    ("system-not-there", "argument", _arguments("evaluate", "--test", "x.jsonl", "--system", "%s"), "return"),
    ("no-recipe", "argument", _arguments("train", "%s", "out", "--check"), "csi"),
)  # fmt: skip


def _cases() -> Iterator[TerminalCase]:
    for place, kind, plant, payloads in _PLACES:
        yield from (TerminalCase(f"{place}-{name}", kind, plant, PAYLOADS[name]) for name in payloads.split())


CASES = tuple(_cases())


def happened_in(case: TerminalCase, folder: Path, call: Call = in_a_process) -> str:
    """``case.expected``, or where what arrived."""
    with ExitStack() as stack:
        done = call(case.plant(World(folder, stack), case.text), folder)
    found = {"stdout": done.out, "stderr": done.err}
    # What the case itself planted lies elsewhere.
    for path in sorted((folder / "out").rglob("*")):
        if path.suffix in (".md", ".log") and path.is_file():
            found[path.name] = path.read_bytes()
    if os.environ.get("HOSTILE_SHOW"):
        print(case.name, done, sep="\n")
    if done.status == -signal.SIGALRM:
        return "out of time"
    if b"Traceback (most recent call last)" in done.err:
        return "a traceback"
    arrived = {where: _STEERING.findall(text.decode("utf-8", "surrogateescape")) for where, text in found.items()}
    wrong = [f"{where} has {ascii(''.join(sorted(set(chars))))[1:-1]}" for where, chars in arrived.items() if chars]
    return "; ".join(wrong) or case.expected
