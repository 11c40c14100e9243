"""The commands ``pairwright evaluate`` and ``pairwright compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pairwright.cli.tables import print_table, print_text
from pairwright.core.errors import ConfigError
from pairwright.evaluation.benchmark_readers import open_gold
from pairwright.evaluation.dialogues.dialogue_evaluation import evaluate_dialogues
from pairwright.evaluation.evaluation import HEADLINES, Evaluation, SetResult
from pairwright.evaluation.gold_rows import GoldSet
from pairwright.evaluation.model_metrics.catalogue import Extras, extra_metrics
from pairwright.evaluation.predictions import System, write_predictions
from pairwright.evaluation.reports.comparison_report import metric_table, write_comparison
from pairwright.evaluation.reports.evaluation_report import cell, difference_of, write_report
from pairwright.evaluation.reports.leaderboard import record, require_leaderboard
from pairwright.evaluation.reports.report_folder import COMPARISON, add_to_report, writing_report
from pairwright.evaluation.rewrite_evaluation import evaluate
from pairwright.evaluation.system_comparison import SystemComparison, compare
from pairwright.evaluation.systems.student_requests import RequestOptions, like_build, with_examples
from pairwright.evaluation.systems.system_spec import SystemSpec, answers, parse_system

BASELINE_NAMES = ("copy", "last_entity")


def evaluate_command(
    systems: Sequence[str],
    tests: Sequence[str],
    output: Path,
    *,
    base: str | None = None,
    against: str | None = None,
    leaderboard: Path | None = None,
    options: RequestOptions | None = None,
    build: Path | None = None,
    extras: Extras | None = None,
    seed: int = 0,
) -> Evaluation:
    """Evaluate systems on test sets and write the report, the predictions and the leaderboard.

    The baselines ``copy`` and ``last_entity`` always take part, and ``base`` (the untrained model) where it is given;
    differences are taken from ``against``, else from ``base``, else from ``copy``. ``build`` is the folder of the build
    that the student was trained on: models are asked with its prompt, as they are where the test set is a build itself.
    ``leaderboard`` is the folder of ``leaderboard.jsonl``.

    Raises:
        PairwrightError: bad input, a model that cannot be used, or a folder that cannot be written.
    """
    specs = [*map(parse_system, BASELINE_NAMES), *_base(base), *map(parse_system, systems)]
    reference = against or ("base" if base else "copy")
    options = options or RequestOptions(ledger=output / "evaluation.ledger.sqlite")
    wanted = extras or Extras()
    with writing_report(output):
        if leaderboard is not None:
            require_leaderboard(leaderboard)
        options = like_build(build, options) if build else options
        sets = [_answered(spec, specs, options, output) for spec in tests]
        result = evaluate(
            sets, reference, seed, lambda gold, found: extra_metrics(wanted, gold, found, reference, options)
        )
        files = write_report(result, output)
    if leaderboard is not None:
        record(result, leaderboard)
    _print_evaluation(result, files)
    return result


def evaluate_dialogues_command(
    systems: Sequence[str], test: str | Path, output: Path, *, against: str | None = None, seed: int = 0
) -> Evaluation:
    """Evaluate systems on the turns of dialogues; each system is ``[NAME=]PREDICTIONS.jsonl``.

    ``test`` is a file of turns, ``hammerbench:FILE`` or ``bfcl:QUESTIONS,ANSWERS``.

    Raises:
        PairwrightError: bad input, or a folder that cannot be written.
    """
    specs = [parse_system(text) for text in systems]
    others = [spec.name for spec in specs if spec.kind != "file"]
    if others:
        raise ConfigError([f"--system {name}: dialogues are evaluated from files of predictions" for name in others])
    with writing_report(output):
        result = evaluate_dialogues(test, {spec.name: Path(spec.target) for spec in specs}, against, seed)
        files = write_report(result, output)
    _print_evaluation(result, files)
    return result


def compare_command(
    first: str,
    second: str,
    test: str,
    output: Path,
    *,
    options: RequestOptions | None = None,
    build: Path | None = None,
    seed: int = 0,
) -> SystemComparison:
    """Compare two systems on one test set and write the comparison; ``build`` as in :func:`evaluate_command`.

    Raises:
        PairwrightError: bad input, a model that cannot be used, or a folder that cannot be written.
    """
    options = options or RequestOptions(ledger=output / "evaluation.ledger.sqlite")
    options = like_build(build, options) if build else options
    specs = [parse_system(first), parse_system(second)]
    if specs[0].name == specs[1].name:
        raise ConfigError([f"both systems are called {specs[0].name!r}"], "Give them names: NAME=SPEC.")
    with writing_report(output, COMPARISON):
        gold, (one, other) = _answered(test, specs, options, output)
        result = compare(gold, one, other, seed)
        files = write_comparison(result, output)
    _print_comparison(result, files)
    return result


def _base(spec: str | None) -> list[SystemSpec]:
    return [] if spec is None else [parse_system(spec)._replace(name="base")]


def _answered(
    test: str, specs: Sequence[SystemSpec], options: RequestOptions, output: Path
) -> tuple[GoldSet, list[System]]:
    """The test set and every system's answers; those of models are kept as files."""
    gold = open_gold(test)
    options = like_build(Path(test), options) if Path(test).is_dir() else options
    if any(spec.asks for spec in specs):
        gold = with_examples(gold, options)
    kept = {spec.name: f"predictions/{spec.name}.{gold.name}.jsonl" for spec in specs if spec.asks}
    add_to_report(output, tuple(kept.values()))
    found = [answers(spec, gold, options) for spec in specs]
    for system in found:
        if system.name in kept:
            write_predictions(output / kept[system.name], system.predictions)
    return gold, found


def _print_evaluation(result: Evaluation, files: Sequence[Path]) -> None:
    shown = [note for note in result.metrics if note.name in HEADLINES]
    for one in result.results:
        names = [system.name for system in one.systems]
        rows = [
            (
                note.name,
                *(cell(note, one.figure(name, note.name), difference_of(one, name, note.name)) for name in names),
            )
            for note in shown
        ]
        title = f"{one.test}: {one.rows:,} rows; per cent, 95 % intervals"
        print_table(title, [("metric", *names), *rows], width=None, first_whole=True)
        print_text(_legend(one))
    _print_files(files)


def _print_comparison(result: SystemComparison, files: Sequence[Path]) -> None:
    print_table(f"{result.test}: {result.rows:,} rows", metric_table(result), width=None, first_whole=True)
    print_text(result.verdict)
    _print_files(files)


def _legend(one: SetResult) -> str:
    return f"▲ significantly better than {one.against}, ▼ worse (permutation test, Holm)"


def _print_files(files: Sequence[Path]) -> None:
    for path in files:
        print(path)
