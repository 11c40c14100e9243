"""Personal data, keys and folders, planted wherever a published build has a place for them, and numbers that look alike.

``kept back``: publishing is refused, and the same for a dry run; it names the kind and where, and does not repeat the value. Or
the place is not published at all. ``published without it``: what concerns only this machine is no reason to refuse, and
stands in no published file. ``published``: a look-alike is nobody's secret.

Home folders inside the words of a dialogue are not in this set: people talk about paths, and those are seldom their own.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from hostile.commands import in_a_process
from hub_server import TOKEN, running_hub

from pairwright.core.components import Component
from pairwright.core.errors import PublishError
from pairwright.core.files.owned_folder import Mark, write_mark
from pairwright.core.files.storage import manifest_of, write_json
from pairwright.core.records import Example, GateDecision, Task, ToolCall, Turn
from pairwright.exports import EXPORTERS
from pairwright.exports.publishing.hub import publish
from pairwright.testing import factories

Expected = Literal["kept back", "published without it", "published"]
Rows = tuple[list[Any], list[Any]]

VALUES: Mapping[str, tuple[str, str]] = {
    "mail": ("email", "zhangwei.1985@example.com.cn"),
    "mail-qq": ("email", "zhang_3@qq.com"),
    "mail-plus": ("email", "jane.doe+x@mail.co.uk"),
    "mail-fullwidth": ("email", "zhangwei＠qq．com"),
    "mobile": ("mobile", "13812345678"),
    "mobile-spaced": ("mobile", "+86 138 1234 5678"),
    "mobile-fullwidth": ("mobile", "１３８１２３４５６７８"),
    "identity": ("identity", "11010519491231002X"),
    "identity-lower": ("identity", "11010519491231002x"),
    "card": ("card", "4111 1111 1111 1111"),
    "card-dashed": ("card", "5500-0055-5555-5559"),
    "card-unionpay": ("card", "6222021234567890128"),
    "key-openai": ("key", "sk-proj-Ab3dE5gH7jK9mN1pQ3sT5vX7zB9dF1hJ3lM5"),
    "key-deepseek": ("key", "sk-0123456789abcdef0123456789abcdef"),
    "key-hub": ("key", "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567"),
    "key-aws": ("key", "AKIAIOSFODNN7EXAMPLE"),
    "key-github": ("key", "ghp_0123456789abcdefABCDEF0123456789abcd"),
    "key-bearer": ("key", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
}
"""What is planted: the word by which a refusal may name its kind, and the value."""
_NAMED = {"key": ("key", "token", "secret", "credential")}


class PrivateCase(NamedTuple):
    """``rows`` makes the rows of a build around the value; the build file's cases share one real build."""

    name: str
    kind: str
    value: str
    expected: Expected
    rows: Callable[[str], Rows] | None = None
    named: str = ""
    card: Mapping[str, str] = {}


def _task(**fields: Any) -> Rows:
    task = factories.task(**fields)
    return [factories.sft_row(task)], [factories.pair(task)]


def _answer(change: Callable[[Task], Mapping[str, Any]]) -> Rows:
    plain = factories.answer_task("zh")
    task = plain.model_copy(update=dict(change(plain)))
    return [factories.sft_row(task, "奥斯陆 4 °C。")], [factories.pair(task, "奥斯陆 4 °C。", "不知道。")]


def _tools(**changes: Any) -> Rows:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string", "description": changes.pop("parameter", "城市")}},
    }
    function = {"name": "weather", "description": "天气", "parameters": parameters, **changes}
    tools = json.dumps([{"type": "function", "function": function}], ensure_ascii=False)
    return _answer(lambda task: {"tools": tools})


def _call(arguments: str, where: str = "history") -> Rows:
    call = Turn(role="assistant", content="", calls=(ToolCall(name="weather", arguments=arguments),))
    if where == "steps":
        return _answer(lambda task: {"steps": (call, *task.steps[1:])})
    return _answer(lambda task: {"history": (task.history[0], call, *task.history[2:])})


def _result(text: str, where: str) -> Rows:
    said = Turn(role="tool", content=text)
    if where == "steps":
        return _answer(lambda task: {"steps": (task.steps[0], said)})
    return _answer(lambda task: {"history": (*task.history[:2], said, *task.history[3:])})


def _example(**fields: Any) -> Rows:
    example: Example = factories.example("zh", **fields)
    return _task(language="zh", examples=(example,))


def _worse(**fields: Any) -> Rows:
    task = factories.task()
    good = factories.candidate(None, task, analysis="He is meant." if "analysis" in fields else None)
    return [factories.sft_row(task, good)], [factories.pair(task, good, factories.rejected(**fields))]


def _better(**fields: Any) -> Rows:
    task = factories.task(language="zh")
    good = factories.candidate(**{"rewrite": None, "of": task, **fields})
    worse = factories.rejected(language="zh", analysis="她是谁？" if "analysis" in fields else None)
    return [factories.sft_row(task, good)], [factories.pair(task, good, worse)]


def _judged(evidence: str) -> Rows:
    sft, pairs = _task()
    verdicts = tuple(verdict.model_copy(update={"evidence": evidence}) for verdict in pairs[0].verdicts)
    return [row.model_copy(update={"verdicts": verdicts}) for row in sft], [
        row.model_copy(update={"verdicts": verdicts}) for row in pairs
    ]


def _gated(evidence: str) -> Rows:
    return _task(gate=GateDecision(needs_rewrite=True, method="rule", evidence=evidence))


def _quoted(text: str) -> str:
    return json.dumps({"联系": text}, ensure_ascii=False)


_PLACES: Mapping[str, tuple[Callable[[str], Rows], str]] = {
    "system": (lambda v: _answer(lambda task: {"system": f"遇到投诉请联系 {v} 。"}), "mail mobile key-openai key-bearer"),
    "tool-name": (lambda v: _tools(name=v), "key-aws mobile"),
    "tool-description": (lambda v: _tools(description=f"Ask {v} for access"), "mail key-hub"),
    "parameter-description": (lambda v: _tools(parameter=f"例如 {v}"), "mobile-spaced key-github"),
    "call-arguments": (lambda v: _call(_quoted(v)), "mail-qq identity key-openai"),
    "call-arguments-escaped": (lambda v: _call(_quoted(v).replace("@", "\\u0040").replace("1", "\\u0031")), "mail mobile"),
    "call-since-query": (lambda v: _call(_quoted(v), "steps"), "card mobile"),
    "tool-result": (lambda v: _result(_quoted(v), "history"), "identity-lower mail-plus card"),
    "tool-result-since-query": (lambda v: _result(f"owner: {v}", "steps"), "mail key-deepseek"),
    "history": (lambda v: _task(history=[("user", f"I am {v}"), ("assistant", "Hello.")]), "mail card-dashed key-github mail-fullwidth"),
    "query": (lambda v: _task(query=f"我的号码是 {v} ，对吗？", language="zh"), "mobile-fullwidth identity card-unionpay key-aws key-bearer"),
    "reference": (lambda v: _task(reference=f"Is {v} hers?"), "mail key-hub"),
    "chosen": (lambda v: _better(rewrite=f"林若溪的电话是 {v} 吗？"), "mobile key-deepseek"),
    "analysis": (lambda v: _better(analysis=f"用户说了 {v} 。"), "mobile identity key-openai"),
    "rejected": (lambda v: _worse(text=f"Who has {v} ?"), "card key-hub"),
    "rejected-analysis": (lambda v: _worse(analysis=f"It says {v} ."), "mail key-aws"),
    "rejected-evidence": (lambda v: _worse(evidence=f"deleted: {v}"), "mail mobile"),
    "rejected-template": (lambda v: _worse(template=v, parameters={"deleted": v}), "card"),
    "verdict-evidence": (_judged, "mail mobile"),
    "gate-evidence": (_gated, "identity"),
    "domain": (lambda v: _task(domain=v), "mail mobile"),
    "source-name": (lambda v: _task(origin=factories.origin(source=v)), "mobile key-hub"),
    "row-key": (lambda v: _task(origin=factories.origin(key=v)), "mobile mail"),
    "dialogue-id": (lambda v: _task(dialogue=v), "mobile-spaced mail-qq"),
    "example-query": (lambda v: _example(query=f"{v} 是谁的？"), "mobile"),
    "example-analysis": (lambda v: _example(analysis=f"{v} 是手机号。"), "mail"),
    "example-rewrite": (lambda v: _example(rewrite=f"{v} 是谁的卡号？"), "card"),
    "licence": (lambda v: _task(origin=factories.origin(licence=v)), "mail"),
}  # fmt: skip
_LOOK_ALIKES = {
    "order-number": "订单号 2023112113000045 已发货", "order-16": "order 4111 1111 1111 1112", "landline": "电话是010-62551234", "landline-en": "call 01223 337733",
    "hotline": "客服热线 400-820-8820", "isbn": "ISBN 9787115546081", "git-hash": "fixed in 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "time": "2023-11-21 13:00:59",
    "big-number": "1,399,999 people", "price": "门票12345678901元", "mention": "@zhangwei 你好, cc @bob", "uuid": "550e8400-e29b-41d4-a716-446655440000",
    "ip": "ping 192.168.1.138, 10.0.0.1:8080", "numpy": "c = a@b + x @ y.T", "version": "torch 2.13.0, v1.38.1234.5678", "pi": "圆周率3.14159265358979323846",
    "identity-wrong": "身份证110105194912310021", "sk-word": "the sk-learn package, task-oriented and risk-averse", "bearer-word": "Bearer of bad news", "hf-word": "see hf_hub_download",
    "timestamp": "at 1700000000 or 1700000000000", "sha256": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "placeholder": "export KEY=sk-... or hf_xxx",
    "model-name": "deepseek-chat, gpt-4o-2024-08-06", "decorator": "@app.route('/x')", "coordinates": "39.90469, 116.40717",
}  # fmt: skip
_MACHINE = {
    "source-path": "zhangwei-source", "evaluation-path": "zhangwei-test", "examples-path": "zhangwei-shots", "output": "zhangwei-out", "ledger": "zhangwei-paid",
    "broken-row-path": "zhangwei-broken", "url-user": "s3cretuser", "url-password": "s3cretpass", "url-query": "s3cretquery", "url-fragment": "s3cretfragment",
    "url-path-key": "sk-0123456789abcdef0123456789abcdef", "embedded-model": "zhangwei-gguf", "windows-model": "zhangwei-win", "component-key": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567",
    "component-path": "zhangwei-words", "comment": "zhangwei-comment",
}  # fmt: skip
"""Texts that stand in one build file each at a place of its own, see :func:`_real_build`."""
_SECRETS = {text for place, text in _MACHINE.items() if place.startswith("url-") or place == "component-key"}


def _cases() -> Iterator[PrivateCase]:
    for place, (rows, values) in _PLACES.items():
        for name in values.split():
            named, value = VALUES[name]
            yield PrivateCase(f"{place}-{name}", place, value, "kept back", rows, named)
    for name in ("mail", "mobile", "key-hub"):
        named, value = VALUES[name]
        yield PrivateCase(
            f"card-title-{name}", "card", value, "kept back", lambda _: _task(), named, {"title": f"对话 {value}"}
        )
    yield PrivateCase(
        "origin-home",
        "machine",
        "/home/Zhangwei/data/x.jsonl",
        "published without it",
        lambda v: _task(origin=factories.origin(file=v)),
    )
    yield PrivateCase(
        "origin-windows",
        "machine",
        "C:\\Users\\zhangwei\\x.jsonl",
        "published without it",
        lambda v: _task(origin=factories.origin(file=v)),
    )
    yield from (
        PrivateCase(f"build-file-{place}", "machine", value, "published without it")
        for place, value in _MACHINE.items()
    )
    for name, text in _LOOK_ALIKES.items():
        yield PrivateCase(
            f"look-alike-{name}", "look-alike", text, "published", lambda v: _task(query=v, language="zh")
        )


CASES = tuple(_cases())


def _build(folder: Path, rows: Rows, card: Mapping[str, str]) -> Path:
    """A finished build around the rows, as the last stage leaves it."""
    sft, pairs = rows
    kind = sft[0].task.kind
    forms: list[tuple[str, dict[str, str]]] = [
        ("llamafactory", {"form": "sharegpt"}),
        ("jsonl", {}),
        ("card", dict(card)),
    ]
    result = factories.build_result(
        folder, sft, pairs, task=kind, prompt={"analysis": sft[0].chosen.analysis is not None}
    )
    for form, keys in forms:
        exporter = EXPORTERS[form].model_validate(keys)
        assert isinstance(exporter, Component)
        exporter.export(result, folder / "exports")  # type: ignore[attr-defined]
    config = {"name": "demo", "output": str(folder), "sources": [{"use": "files", "source": "a", "licence": "MIT"}]}
    (folder / "build.yaml").write_text(yaml.safe_dump(config))
    (folder / "report.md").write_text("# Report\n")
    files = [path for path in (folder / "exports").rglob("*") if path.is_file()]
    write_json(folder / "manifest.json", {"build": "cafe0123", "files": manifest_of(folder, files)})
    pages = [folder / name for name in ("build.yaml", "report.md", "manifest.json")]
    made = manifest_of(folder, [*files, *pages])
    write_mark(folder, Mark(kind="build", name="demo", files={name: (digest,) for name, digest in made.items()}))
    return folder


_PARTS = """
from pairwright.core.components import Component
from pairwright.core.records import Verdict


class Own(Component):
    name = "own"
    token: str
    words: str

    async def judge(self, case, candidates, ask):
        return [Verdict(judge="own", passed=True) for _ in candidates]
"""


@cache
def _real_build(secrets: bool) -> Mapping[str, bytes] | str:
    """What a real build publishes whose build file has all folders of ``_MACHINE``, or all secrets; or why it does not."""
    with tempfile.TemporaryDirectory() as made:
        home = Path(made) / "home"
        folders = {place: home / value for place, value in _MACHINE.items() if value.startswith("zhangwei")}
        for one in folders.values():
            one.mkdir(parents=True)
        for place, count in (("source-path", 8), ("evaluation-path", 2), ("broken-row-path", 1)):
            lines = []
            for number in range(count):
                row = {
                    "history": [],
                    "query": f"{place} {number}: When was she born?",
                    "rewrite": f"{place} {number}: When was Ada Lindqvist born?",
                }
                lines.append("{no json\n" if place == "broken-row-path" else json.dumps(row) + "\n")
            (folders[place] / "rows.jsonl").write_text("".join(lines))
        examples = [factories.example(language).model_dump(mode="json") for language in ("en", "zh")]
        (folders["examples-path"] / "rows.jsonl").write_text(
            "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in examples)
        )
        (home / "parts.py").write_text(_PARTS)
        url = "https://models.example/v1"
        if secrets:
            url = "https://{url-user}:{url-password}@models.example/v1/{url-path-key}?api_key={url-query}#{url-fragment}".format(
                **_MACHINE
            )
        content = {
            "name": "small",
            "output": str(folders["output"] / "build"),
            "ledger": str(folders["ledger"] / "ledger.sqlite"),
            "sources": [
                {"use": "files", "source": f"s{number}", "path": str(folders[place] / "rows.jsonl"), "licence": "MIT"}
                for number, place in enumerate(("source-path", "broken-row-path"))
            ],
            "evaluations": [{"use": "files", "source": "test", "path": str(folders["evaluation-path"] / "rows.jsonl"), "licence": "MIT"}],
            "examples": {"path": str(folders["examples-path"] / "rows.jsonl")},
            "endpoints": {
                "hosted": {"base_url": url, "model": "x"},
                "packed": {"use": "embedded", "model": str(folders["embedded-model"] / "m.gguf")},
                "windows": {"use": "embedded", "model": f"C:\\Users\\{_MACHINE['windows-model']}\\m.gguf"},
            },
            "judges": [{"use": "parts:Own", "token": _MACHINE["component-key"] if secrets else "none", "words": str(folders["component-path"] / "words.txt")}],
            "perturbers": [{"use": "entity_deletion"}],
            "exports": [{"use": "llamafactory"}, {"use": "jsonl"}, {"use": "card"}],
            "pairing": {"max_defect_share": 1.0, "max_template_share": 1.0, "max_surface_auc": 1.0},
            "limits": {"max_failure_rate": 1.0},
        }  # fmt: skip
        (home / "build.yaml").write_text(f"# {_MACHINE['comment']}\n{yaml.safe_dump(content, allow_unicode=True)}")
        done = in_a_process(["build", "build.yaml", "--quiet"], home)
        if done.status:
            written = b"".join(
                path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "build.yaml"
            )
            refused = secrets and done.status == 2 and b"looks like a key" in done.err
            return {"said": done.out + done.err, "written": written} if refused else f"no build: {done.err.decode()}"
        return _published(folders["output"] / "build")


def _published(folder: Path) -> Mapping[str, bytes] | str:
    """What arrives on a Hub, or why nothing does."""
    from huggingface_hub.utils import disable_progress_bars

    before = os.environ.get("HF_TOKEN")
    os.environ["HF_TOKEN"] = TOKEN
    try:
        disable_progress_bars()
        with running_hub() as hub:
            publish(folder, "someone/rows", endpoint=hub.url, wait=lambda seconds: None)
            return hub.files()
    except PublishError as exc:
        return str(exc)
    finally:
        os.environ.pop("HF_TOKEN")
        if before is not None:
            os.environ["HF_TOKEN"] = before


def happened_in(case: PrivateCase, folder: Path) -> str:
    """``case.expected``, or what went wrong."""
    found: Mapping[str, bytes] | str
    if case.rows is None:
        # A build file with a secret in it is refused when it is read: what is left to look at is what was said and written.
        found, dry = _real_build(case.value in _SECRETS), ""
    else:
        build = _build(folder, case.rows(case.value), case.card)
        try:
            publish(build, "someone/rows", dry_run=True)
            dry = ""
        except PublishError as exc:
            dry = str(exc)
        if case.expected == "published":
            return f"refused: {dry.splitlines()[0]}" if dry else case.expected
        found = _published(build)
        if (said := found if isinstance(found, str) else "") != dry:
            return f"a dry run says {dry or 'nothing'!r}, publishing {said or 'nothing'!r}"
    if not isinstance(found, str):
        spelled = {case.value, json.dumps(case.value)[1:-1], json.dumps(case.value, ensure_ascii=False)[1:-1]}
        holding = sorted(path for path, content in found.items() if any(one.encode() in content for one in spelled))
        # The card cuts and escapes what it shows, so a part says as much.
        return f"published: {', '.join(holding)}" if holding else case.expected
    if case.expected != "kept back":
        return f"refused: {found.splitlines()[0]}"
    return _refusal(case, found.splitlines()[0])


def _refusal(case: PrivateCase, said: str) -> str:
    if not any(word in said for word in _NAMED.get(case.named, (case.named,))):
        return f"does not name the kind: {said}"
    if case.kind != "card" and not any(place in said for place in ("sft.jsonl:1", "pairs.jsonl:1")):
        return f"does not name the place: {said}"
    return f"repeats the value: {said}" if case.value in said else case.expected
