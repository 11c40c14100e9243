"""``pairwright perturb``: what every perturber makes of one rewrite or answer, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.bookkeeping import Dropped
from pairwright.core.errors import ConfigError
from pairwright.core.files.texts import read_text
from pairwright.core.language.text_analysis import detect_language
from pairwright.core.prompts.few_shot import ExampleIndex, read_examples
from pairwright.core.records import Rejected, Turn
from pairwright.core.untrusted_json import well_formed
from pairwright.perturbers.preview import preview
from pairwright.pipelines.ingest.answer_dialogues import check_tools
from pairwright.pipelines.ingest.row_values import RowError

Outcomes = Mapping[str, list[Rejected | Dropped]]


def perturb_command(
    query: str, text: str | None, answer: str | None, history: Sequence[str], tools: str, results: Sequence[str]
) -> None:
    """Print every perturber's variants of one rewrite or one answer, or why it made none.

    Raises:
        ConfigError: not exactly one of the two is given, or the tools cannot be read.
    """
    if (text is None) == (answer is None):
        raise ConfigError(["perturb: give --text or --answer"], "--text takes a good rewrite, --answer a good answer.")
    if not query.strip() or not (text or answer or "").strip():
        raise ConfigError([f"perturb: an empty {'--query' if not query.strip() else '--text or --answer'}"])
    query, text, answer = well_formed(query), text and well_formed(text), answer and well_formed(answer)
    turns = tuple(
        Turn(role=("user", "assistant")[at % 2], content=well_formed(said)) for at, said in enumerate(history)
    )
    if answer is None:
        print_table("Worse variants", _rows(_of_rewrite(text or "", query, turns)))
        return
    steps = tuple(Turn(role="tool", content=well_formed(said)) for said in results)
    found = preview(answer, query, turns, kind="answer", tools=_tools(tools), steps=steps)
    print_table("Worse answers", _rows(found))


def _of_rewrite(text: str, query: str, turns: tuple[Turn, ...]) -> Outcomes:
    language = detect_language(query + text)
    examples = ExampleIndex(read_examples(None)).choose(query, turns, language, 3)
    return preview(text, query, turns, language, examples)


def _tools(given: str) -> str:
    """The definitions themselves, whether given as text or as the name of a file."""
    if given and not given.lstrip().startswith(("[", "{")):
        try:
            given = read_text(Path(given))
        except (OSError, ValueError) as exc:
            said = exc.strerror if isinstance(exc, OSError) else exc
            raise ConfigError(
                [f"--tools: {given}: {said}"], "Give a JSON array of tools, or a file that holds one."
            ) from exc
    try:
        return check_tools(given)
    except RowError as exc:
        raise ConfigError([f"--tools: {exc}"], "Give a JSON array of OpenAI function definitions.") from exc


def _rows(found: Outcomes) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [("perturber", "defect", "rejected text, or why there is none")]
    for name, outcomes in found.items():
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                rows.append((name, outcome.defect, outcome.text))
            elif len(outcomes) == 1:
                rows.append((name, "", f"({outcome.reason})"))
    return rows
