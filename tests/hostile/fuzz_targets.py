"""Everything that reads what others wrote, each as a function that may raise only what it promises.

A target has a strategy of hypothesis that makes its inputs, good ones and damaged ones, and a function that reads one. Errors
meant for users are outcomes; anything else that is raised is a finding. ``tests/integration/hostile/test_fuzz.py`` runs a few
fixed examples of each, ``benchmarks/reliability/fuzz.py`` runs them for as long as it is told.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hypothesis import strategies as st

from pairwright.core.calibration import read_calibration
from pairwright.core.config.build_file import ContextConfig, EndpointConfig, PromptConfig, read_build
from pairwright.core.errors import PairwrightError
from pairwright.core.files.storage import read_rows
from pairwright.core.llm.endpoint import Endpoint
from pairwright.core.llm.ledger import Ledger
from pairwright.core.llm.wire import error_details, names_unknown_model, quotable
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.records import PreferencePair, Task
from pairwright.core.requests import Answer
from pairwright.core.tool_calls import calls_of
from pairwright.evaluation.dialogues.dialogue_rows import read_dialogues
from pairwright.evaluation.gold_rows import read_gold
from pairwright.evaluation.predictions import read_predictions
from pairwright.exports import EXPORTERS
from pairwright.exports.publishing.personal_data import concerns
from pairwright.exports.rows.row_readers import read_training_rows
from pairwright.judges.llm.pairwise import parse_judgement
from pairwright.judges.llm.rubric import parse_grade
from pairwright.judges.llm.rubric_file import read_rubric
from pairwright.pipelines.build_folder import read_finished
from pairwright.pipelines.calibration.gold_items import marked_items
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.dedup.earlier_builds import read_index
from pairwright.pipelines.ingest.answer_contexts import find_answers, window_answers
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.contexts import find_queries, window_queries
from pairwright.pipelines.ingest.sources import FileSource
from pairwright.testing import factories


class Target(NamedTuple):
    """What is read, the inputs, and the reader."""

    name: str
    inputs: st.SearchStrategy[Any]
    read: Callable[[Any], object]


_ODD = ["", " ", "\x00", "\x1b[2J", "\u200b", "\u202e", "\ufeff", "\ud800", "\U0001f600", "</history>", "<|im_end|>", "{", "[", '"', "\\", "---", "%s", "{x}", "\r", "\n", "\u2028", "1" * 5000, "它", "null", "1e999", "-0"]  # fmt: skip
_text = st.one_of(st.text(max_size=30), st.sampled_from(_ODD), st.sampled_from(("它多少钱？", "How old is it?")))
_scalar = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**400), 10**400), st.floats(), _text, st.text(max_size=3)
)
_json = st.recursive(
    _scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4), max_leaves=12
)

_ROW: dict[str, Any] = {
    "id": "1", "dialogue": "d", "lang": "en", "domain": "x", "history": ["Tell me about Paris.", "Paris is nice."],
    "query": "How old is it?", "rewrite": "How old is Paris?",
}  # fmt: skip
_CHAT: dict[str, Any] = {
    "id": "2",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "巴黎多少度？"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city":"巴黎"}'}}]},
        {"role": "tool", "tool_call_id": "c", "content": '{"t": 4}'},
        {"role": "assistant", "content": "4 度。"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}],
}  # fmt: skip
_SHAREGPT: dict[str, Any] = {
    "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
    "system": "s",
}
_BUILD: dict[str, Any] = {
    "name": "x", "output": "out", "seed": 1, "task": "rewrite",
    "sources": [{"use": "files", "source": "s", "path": "rows.jsonl", "licence": "MIT", "mapping": {"query": "q"}}],
    "endpoints": {"t": {"base_url": "http://localhost:1/v1", "model": "m", "api_key_env": "KEY", "timeout": 5}},
    "generation": [{"endpoint": "t", "role": "teacher"}],
    "judges": [{"use": "rubric", "endpoint": "t"}, {"use": "panel", "members": [{"use": "length_ratio"}]}],
    "perturbers": [{"use": "unchanged_copy"}], "pairing": {"target": 3}, "exports": [{"use": "llamafactory"}],
    "limits": {"max_failure_rate": 0.5, "max_cost": 1}, "audit": {}, "split": {"test": 0.1},
}  # fmt: skip
_BODY: dict[str, Any] = {
    "id": "x", "object": "chat.completion", "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{}", "refusal": None},
        "logprobs": {"content": [{"token": "a", "logprob": -1, "top_logprobs": [{"token": "a", "logprob": -1}]}]}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
}  # fmt: skip


def _changed(value: Any) -> st.SearchStrategy[Any]:
    """``value`` with some places replaced by anything, left out, doubled or wrapped."""

    @st.composite
    def change(draw: st.DrawFn) -> Any:
        return _with_changes(json.loads(json.dumps(value)), draw, draw(st.integers(0, 3)))

    return change()


def _with_changes(value: Any, draw: st.DrawFn, number: int) -> Any:
    for _ in range(number):
        parent: Any = [value]
        place: Any = 0
        while isinstance(parent[place], dict | list) and parent[place] and draw(st.integers(0, 4)):
            parent, place = parent[place], None
            place = draw(st.sampled_from(list(parent) if isinstance(parent, dict) else range(len(parent))))
        kind = draw(st.integers(0, 4))
        if kind == 0 and isinstance(parent, dict):
            del parent[place]
        elif kind == 1 and isinstance(parent, dict):
            parent[draw(_text)] = parent.pop(place)
        elif kind == 2:
            parent[place] = [parent[place], parent[place]]
        else:
            parent[place] = draw(_json)
        if parent is not value and isinstance(parent, list) and place == 0 and len(parent) == 1:
            value = parent[0]
    return value


@st.composite
def _damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes with some cut out, put in, turned or doubled."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.integers(0, 40)))
        data[at:to] = draw(
            st.one_of(
                st.just(b""),
                st.binary(max_size=6),
                st.just(bytes(data[at:to]) * 2),
                st.sampled_from(
                    (
                        b"[" * 3000,
                        b'{"a":' * 3000,
                        b"9" * 5000,
                        b"\x00",
                        b"\xff\xfe",
                        b"\r",
                        b"\n\n",
                        b'"',
                        b"\\ud800",
                        b"\xed\xa0\x80",
                    )
                ),
            )
        )
    return bytes(data)


def _lines(*rows: Any) -> st.SearchStrategy[bytes]:
    row = st.one_of(*(_changed(one) for one in rows), *(st.just(one) for one in rows), _json)
    return st.lists(row, max_size=4).map(
        lambda some: "\n".join(_dumped(one) for one in some).encode(errors="surrogatepass")
    )


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _csv(rows: bytes) -> bytes:
    return b"id,query,history,rewrite\n" + rows.replace(b"{", b"").replace(b"}", b"")


def _parquet(rows: list[Any]) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    try:
        table = pa.Table.from_pylist([row for row in rows if isinstance(row, dict)] or [_ROW])
        pq.write_table(table, buffer)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, UnicodeError):
        pq.write_table(pa.Table.from_pylist([_ROW]), buffer)
    return buffer.getvalue()


def _zst(data: bytes) -> bytes:
    import zstandard

    return zstandard.compress(data)


_FORMS: dict[str, Callable[[bytes], bytes]] = {
    ".jsonl": bytes,
    ".json": lambda data: b"[" + data.replace(b"\n", b",\n") + b"]",
    ".csv": _csv,
    ".tsv": lambda data: _csv(data).replace(b",", b"\t"),
    ".jsonl.gz": gzip.compress,
    ".json.zst": _zst,
}


@contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of bytes, made of a reader of a file."""

    def read_bytes(data: bytes) -> object:
        with _folder() as folder:
            path = folder / name
            path.write_bytes(data)
            try:
                return read(path)
            except PairwrightError as exc:
                return exc

    return read_bytes


def _source(path: Path) -> object:
    """A source as a build reads it, to the prompts of its tasks; every row has one outcome."""
    rows = list(FileSource(source="s", path=str(path), licence="MIT").read())
    config = ContextConfig(queries="every")
    good = [row for row in check_answerable(rows) if not hasattr(row, "error")]
    read = [row for row in rows if not hasattr(row, "error")]
    tasks = window_queries(find_queries(read, config), config, read_examples(None), 2)
    for found in (tasks, window_answers(find_answers(good, config), config)):
        for task in found:
            task.model_dump_json()
            if isinstance(task, Task):
                kind = KINDS[task.kind]
                kind.student_request(task, PromptConfig(), 100).model_dump_json()
                list(kind.teacher_request(task, _Sampling(), 1).messages)
    for row in rows:
        row.model_dump_json()
    return len(rows)


class _Sampling:
    temperature, max_tokens, style, tools = 0.0, 100, "concise", False


def _of_endpoint(body: bytes) -> object:
    endpoint = Endpoint("t", EndpointConfig(base_url="http://localhost:1/v1", model="m"))
    code, message = error_details(body)
    names_unknown_model(code, message)
    quotable(message, "sk-secret", b"what we asked")
    answer = endpoint.read(body, "h", 10, 0.1)
    if isinstance(answer, Answer):
        answer.model_dump_json()
        _of_model(answer.text)
    return answer


def _of_model(text: str) -> object:
    """What a model wrote, through every parser; ``ValueError`` is how they say no."""
    for parse in (
        *(kind.read_teacher for kind in KINDS.values()),
        *(lambda said, kind=kind: kind.read_student(said, PromptConfig()) for kind in KINDS.values()),
        lambda said: KINDS["rewrite"].read_student(said, PromptConfig(analysis=True)),
        parse_grade,
        parse_judgement,
        calls_of,
    ):
        try:
            parse(text)
        except ValueError:
            continue
    return None


def _exported(given: tuple[str, str, str, str, str]) -> object:
    """Rows of any text through all exporters, and back."""
    query, history, chosen, rejected, name = given
    with _folder() as folder:
        try:
            task = factories.task(query or "?", [("user", history), ("assistant", history)], domain=name)
            pair = factories.pair(task, chosen or "!", rejected=factories.rejected(rejected or "?"))
            rows = [factories.sft_row(task, chosen or "!")], [pair]
            build = factories.build_result(folder, *rows)
        except ValueError:
            return None
        for exporter in EXPORTERS.values():
            try:
                files = exporter().export(build, folder / "exports")  # type: ignore[attr-defined]
            except PairwrightError:
                continue
            for path in files:
                if (
                    path.suffix in (".jsonl", ".json", ".parquet")
                    and "_sft_" in path.name
                    and path.parent.name != "jsonl"
                ):
                    list(read_training_rows(path))
        return list(concerns(folder / "rows"))


def _finished(files: tuple[bytes, bytes]) -> object:
    with _folder() as folder:
        (folder / "manifest.json").write_bytes(files[0])
        (folder / "build.yaml").write_bytes(files[1])
        try:
            return read_finished(folder)
        except PairwrightError as exc:
            return exc


def _rubric(path: Path) -> object:
    try:
        return read_rubric(str(path), "rewrite", "en")
    except ValueError as exc:  # what a setting of a component raises
        return exc


def _ledger(path: Path) -> object:
    with Ledger(path) as ledger:
        ledger.get("h")
        return ledger.usage()


def _predictions(path: Path) -> object:
    gold = path.with_name("gold.jsonl")
    gold.write_text(json.dumps({**_ROW, "lang": "en"}), encoding="utf-8")
    return read_predictions(path, read_gold(gold))


_yaml = _changed(_BUILD).map(lambda value: yaml.safe_dump(value, allow_unicode=True).encode(errors="surrogatepass"))
_build_yaml = _damaged(st.one_of(_yaml, st.just(yaml.safe_dump(_BUILD).encode())))
_pair = json.loads(factories.pair().model_dump_json())
_MANIFEST = {"build": "b", "name": "x", "prompts": {}, "stages": [], "files": {}}
_MARKED = {"history": [{"role": "user", "content": "Hi"}], "query": "q", "text": "t", "good": True, "lang": "en"}
_EXAMPLE = json.loads(factories.example().model_dump_json())
_DIALOGUE = {"id": "1", "turns": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
_RUBRIC = "kind: rewrite\nfaithful: Is {text} faithful to {query}?\n"


def _files(name: str, read: Callable[[Path], object], *rows: Any) -> Target:
    return Target(name, _damaged(_lines(*rows)), _in_file(f"{name}.jsonl", read))


TARGETS: tuple[Target, ...] = (
    *(
        Target(f"source{suffix}", _damaged(_lines(_ROW, _CHAT, _SHAREGPT).map(form)), _in_file(f"rows{suffix}", _source))
        for suffix, form in _FORMS.items()
    ),
    Target(
        "source.parquet",
        _damaged(st.lists(st.one_of(_changed(_ROW), _changed(_CHAT)), max_size=3).map(_parquet)),
        _in_file("rows.parquet", _source),
    ),
    Target("build_file", _build_yaml, _in_file("build.yaml", lambda path: read_build(path, CATALOGUES))),
    Target("endpoint_body", _damaged(_lines(_BODY)), _of_endpoint),
    Target("model_text", st.one_of(_text, _json.map(_dumped), _changed(_BODY).map(_dumped)), _of_model),
    Target("exports", st.tuples(_text, _text, _text, _text, _text), _exported),
    Target("finished_build", st.tuples(_damaged(_lines(_MANIFEST)), _build_yaml), _finished),
    _files("rows", lambda path: list(read_rows(path, PreferencePair)), _pair),
    _files("training_rows", lambda path: list(read_training_rows(path)), {"instruction": "a", "system": "s", "output": "o"}, _CHAT),
    _files("gold", read_gold, _ROW),
    _files("predictions", _predictions, {"id": "1", "rewrite": "x"}),
    _files("marked", marked_items, _MARKED),
    _files("dialogues", read_dialogues, _DIALOGUE),
    _files("examples", lambda path: read_examples(str(path)), _EXAMPLE),
    _files("calibration", read_calibration, {"judges": []}),
    Target("rubric", _damaged(st.just(_RUBRIC.encode())), _in_file("r.yaml", _rubric)),
    Target("ledger", _damaged(st.just(b"SQLite format 3\x00" + bytes(100))), _in_file("ledger.sqlite", _ledger)),
    Target("index", _damaged(st.just(_parquet([]))), lambda data: _in_file("index.parquet", lambda path: list(read_index(path.parent)))(data)),
)  # fmt: skip
