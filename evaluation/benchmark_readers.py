"""Published benchmarks, read from the user's own copies. Nothing of them is shipped.

``canard:dev.json`` names a reader and the file or files it needs (joined by commas); a path without a reader is a file
of rewriting rows or a build folder. Every reader yields rewriting rows (see ``gold_rows.py``), so its rows pass the same
checks. ``meta.dialogue`` groups the turns of a dialogue; titles and sections are kept where the authors gave them as
history.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pairwright.core.errors import ConfigError, SourceError
from pairwright.core.files.storage import sha256_of
from pairwright.core.files.texts import read_lines, read_text
from pairwright.core.identity import content_id
from pairwright.core.untrusted_json import read_json
from pairwright.evaluation.gold_rows import GoldRow, GoldSet, explain, gold_set, read_gold, row_from

RawRow = dict[str, Any]
_SPACED_HAN = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) +| +(?=[\u3000-\u9fff\uff00-\uffef])")


def open_gold(spec: str) -> GoldSet:
    """The test rows that ``[READER:]PATH[,PATH]`` names.

    Raises:
        ConfigError: no such reader.
        SourceError: a file cannot be read, or rows cannot be used.
    """
    reader, _, rest = spec.partition(":")
    if not rest or Path(spec).exists():  # the name of a file may have a colon, too
        return read_gold(Path(spec))
    if reader not in READERS:
        raise ConfigError([f"--test {spec}: no reader {reader!r}; there are: {', '.join(sorted(READERS))}"])
    paths = [Path(part) for part in rest.split(",")]
    rows: list[GoldRow] = []
    problems: list[str] = []
    try:
        for raw in READERS[reader](paths):
            try:
                rows.append(row_from(raw))
            except (ValueError, KeyError, TypeError) as exc:
                problems.append(f"{rest}: row {raw.get('id')!r}: {explain(exc)}")
        digest = content_id([sha256_of(path) for path in paths])
    except OSError as exc:
        raise SourceError(
            f"{exc.filename or rest}: {exc.strerror}", "Check the path of the benchmark's files."
        ) from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise SourceError(
            f"{rest}: not a {reader} file: {explain(exc)}", "Give the files as their authors publish them."
        ) from exc
    return gold_set(reader, rows, problems, source=rest, sha256=digest)


def canard(paths: Sequence[Path]) -> Iterator[RawRow]:
    """CANARD (Elgohary et al. 2019): ``train|dev|test.json``. The first two history items are page title and section."""
    for item in _json(paths[0]):
        dialogue = item["QuAC_dialog_id"]
        yield _row(
            f"{dialogue}#{item['Question_no']}",
            "en",
            _alternating(item["History"]),
            item["Question"],
            item["Rewrite"],
            dialogue,
        )


def qrecc(paths: Sequence[Path]) -> Iterator[RawRow]:
    """QReCC (Anantha et al. 2021): ``qrecc_train|test.json``; ``Truth_rewrite`` of the SCAI files is read too."""
    for item in _json(paths[0]):
        dialogue = f"{item['Conversation_no']}"
        rewrite = item["Truth_rewrite"] if "Truth_rewrite" in item else item["Rewrite"]
        yield _row(
            f"{dialogue}_{item['Turn_no']}", "en", _alternating(item["Context"]), item["Question"], rewrite, dialogue
        )


def cast19(paths: Sequence[Path]) -> Iterator[RawRow]:
    """TREC CAsT 2019: ``…topics….json`` and ``…annotated_resolved….tsv``, in this order. User turns only."""
    if len(paths) != 2:
        raise ValueError("two files are needed: TOPICS.json,RESOLVED.tsv")
    lines = (line.split("\t") for line in read_lines(paths[1], "utf-8-sig") if line.strip())
    resolved = {identity: text for identity, text in lines}
    for topic in _json(paths[0]):
        history: list[dict[str, str]] = []
        for turn in topic["turn"]:
            identity = f"{topic['number']}_{turn['number']}"
            yield _row(identity, "en", history, turn["raw_utterance"], resolved[identity], str(topic["number"]))
            history = [*history, _turn("user", turn["raw_utterance"])]


def cast(paths: Sequence[Path]) -> Iterator[RawRow]:
    """TREC CAsT 2020 and 2021 manual topics: ``…manual_evaluation_topics….json``; passages are the answers where given."""
    for topic in _json(paths[0]):
        history: list[dict[str, str]] = []
        for turn in topic["turn"]:
            query, rewrite = turn["raw_utterance"], turn["manual_rewritten_utterance"]
            yield _row(f"{topic['number']}_{turn['number']}", "en", history, query, rewrite, str(topic["number"]))
            answer = [_turn("assistant", turn["passage"])] if turn.get("passage") else []
            history = [*history, _turn("user", query), *answer]


def ikat(paths: Sequence[Path]) -> Iterator[RawRow]:
    """TREC iKAT 2023: ``2023_train|test_topics.json``. Turns whose rewrite leans on the persona are left in."""
    for topic in _json(paths[0]):
        history: list[dict[str, str]] = []
        for turn in topic["turns"]:
            identity = f"{topic['number']}_{turn['turn_id']}"
            query = turn["utterance"]
            yield _row(identity, "en", history, query, turn["resolved_utterance"], str(topic["number"]))
            history = [*history, _turn("user", query), _turn("assistant", turn["response"])]


def rewrite(paths: Sequence[Path]) -> Iterator[RawRow]:
    """REWRITE (Su et al. 2019, Chinese): ``corpus.txt``, two turns, query and rewrite separated by two tabs."""
    for number, line in enumerate(read_lines(paths[0], "utf-8-sig"), start=1):
        if line.strip():
            *history, query, gold = (unspaced(part) for part in line.rstrip("\n").split("\t\t"))
            yield _row(f"rewrite-{number}", "zh", _alternating(history), query, gold, f"rewrite-{number}")


def restoration200k(paths: Sequence[Path]) -> Iterator[RawRow]:
    """Restoration-200K (Pan et al. 2019, Chinese): ``test.sr`` and ``test.tr``, tokens separated by spaces.

    A source line reads ``turn <split> turn … || query | …``. A line without ``|`` is broken off (one is, in the
    published ``test.sr``) and goes on in the next.
    """
    targets = paths[1] if len(paths) > 1 else paths[0].with_suffix(".tr")
    sources = _unbroken(read_lines(paths[0], "utf-8-sig"))
    rewrites = read_lines(targets, "utf-8-sig")
    if len(sources) != len(rewrites):
        raise ValueError(f"{len(sources)} dialogues but {len(rewrites)} rewrites")
    for number, (source, gold) in enumerate(zip(sources, rewrites, strict=True), start=1):
        context, _, query = source[: source.rfind("|")].strip().rpartition(" || ")
        history = [unspaced(turn) for turn in context.split(" <split> ")] if context else []
        name = f"restoration200k-{number}"
        yield _row(name, "zh", _alternating(history), unspaced(query), unspaced(gold), name)


def gecor(paths: Sequence[Path]) -> Iterator[RawRow]:
    """GECOR (Quan et al. 2019): ``CamRest676_annotated.json``; a turn with both an ellipsis and a pronoun gives two rows."""
    for dialogue in _json(paths[0]):
        name, history = str(dialogue["dialogue_id"]), list[dict[str, str]]()
        for turn in dialogue["dial"]:
            said = turn["usr"]
            variants = {
                "ellipsis": said["transcript_with_ellipsis"],
                "coreference": said["transcript_with_coreference"],
            }
            known = {kind: text for kind, text in variants.items() if text} or {"none": said["transcript"]}
            for kind, query in known.items():
                row = _row(f"{name}_{turn['turn']}_{kind}", "en", history, query, said["transcript_complete"], name)
                yield row | {"meta": {**row["meta"], "kind": kind, "original": query == said["transcript"]}}
            history = [*history, _turn("user", said["transcript"]), _turn("assistant", turn["sys"]["sent"])]


READERS: Mapping[str, Callable[[Sequence[Path]], Iterable[RawRow]]] = {
    "canard": canard,
    "qrecc": qrecc,
    "cast19": cast19,
    "cast": cast,
    "ikat": ikat,
    "rewrite": rewrite,
    "restoration200k": restoration200k,
    "gecor": gecor,
}


def unspaced(text: str) -> str:
    """Tokenised Chinese as it is written: no spaces beside Han characters and full-width signs."""
    return _SPACED_HAN.sub("", text.strip())


def _json(path: Path) -> list[Any]:
    found = read_json(read_text(path, "utf-8-sig"))
    if not isinstance(found, list):
        raise ValueError("a JSON list is expected")
    return found


def _row(
    identity: str, language: str, history: Sequence[Mapping[str, str]], query: str, gold: str, dialogue: str
) -> RawRow:
    return {
        "id": identity,
        "lang": language,
        "history": list(history),
        "query": query,
        "rewrite": gold,
        "meta": {"dialogue": dialogue},
    }


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _alternating(texts: Sequence[str]) -> list[dict[str, str]]:
    """Turns of a list that begins with the user."""
    return [_turn("assistant" if index % 2 else "user", text) for index, text in enumerate(texts)]


def _unbroken(lines: Sequence[str]) -> list[str]:
    whole: list[str] = []
    carry = ""
    for line in lines:
        carry += line.replace("\t", " ")
        if "|" in line.rpartition("||")[2] or not line.strip():
            whole.append(carry)
            carry = ""
    return whole + ([carry] if carry else [])
