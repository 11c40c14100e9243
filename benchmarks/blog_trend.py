"""The trend that tutorials show (reward accuracy rises, loss falls), beside what it says nothing about: held-out rows.

    python benchmarks/blog_trend.py FOLDER [--model STUDENT] [--set KEY=VALUE ...]

Builds some 130 pairs (and 50 more to test on) from the packaged English rows, trains SFT and then DPO on them with TRL (LoRA, one and two epochs), and
prints the trend of the DPO training beside the figures of base, SFT and DPO. FOLDER keeps the build, the student and the
run; the same command goes on where it was. The default student is SmolLM2-135M-Instruct from the packaged weights: most
of an hour of CPU time.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from pairwright.training_recipes.models.smollm import save_student
from pairwright.training_recipes.runs.run_record import RunRecord, read_record
from pairwright.training_recipes.runs.step_log import read_steps

CLI = (sys.executable, "-m", "pairwright")
BUILD = {
    "name": "trend",
    "seed": 7,
    "sources": [
        {"use": "files", "source": "cast19", "path": "examples/data/cast19.en.jsonl", "licence": "MIT"},
        {"use": "files", "source": "gecor", "path": "examples/data/gecor.en.jsonl", "licence": "CC-BY-4.0"},
    ],
    "context": {"turns": 2, "max_tokens": 160},
    "perturbers": [
        {"use": name}
        for name in (
            "entity_deletion",
            "made_ambiguous",
            "unchanged_copy",
            "over_edit",
            "wrong_antecedent",
            "invented_entity",
            "intent_change",
        )
    ],
    "pairing": {"max_per_task": 1},
    "prompt": {"examples": False},
    "split": {"validation": 0.05, "test": 0.3},
    "exports": [{"use": "trl"}],
}
SETTINGS = {
    "sft.num_train_epochs": 1,
    "sft.learning_rate": 1e-3,
    "sft.gradient_accumulation_steps": 2,
    "dpo.num_train_epochs": 2,
    "dpo.learning_rate": 2e-4,
    "dpo.gradient_accumulation_steps": 4,
    "dpo.precompute_ref_log_probs": "true",
    "dpo.use_logits_to_keep": "true",
    "gradient_checkpointing": "false",
    "eval_strategy": "no",
    "logging_steps": 1,
    "evaluate.answer_tokens": 40,
}
RECIPE = "smollm2-135m.trl.chain"
TREND = ("loss", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected")
SYSTEMS = ("base", "sft", "dpo")
METRICS = (
    "exact_match_normalised",
    "restoration_f1",
    "rouge_l",
    "entity_retention",
    "unchanged",
    "leftover_reference",
    "invented_entity",
)


def main() -> None:
    """Build, train, print."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--set", action="append", default=[])
    given = parser.parse_args()
    build, output = given.folder / "build", given.folder / "run"
    given.folder.mkdir(parents=True, exist_ok=True)
    if not (build / "manifest.json").is_file():
        file = given.folder / "build.yaml"
        file.write_text(yaml.safe_dump({**BUILD, "output": str(build)}, sort_keys=False), encoding="utf-8")
        subprocess.run([*CLI, "build", str(file), "--quiet"], check=True)
    student = given.model or save_student(given.folder / "student")
    settings = [*(f"{key}={value}" for key, value in SETTINGS.items()), *given.set]
    options = [word for setting in settings for word in ("--set", setting)]
    subprocess.run(
        [*CLI, "train", RECIPE, str(build), "--model", str(student), "--output", str(output), *options], check=True
    )
    run = read_record(output)
    assert run is not None
    show(run, read_steps(output / "dpo.steps.jsonl").logs, pairs=_lines(build / "exports/trl/trend_dpo_train.jsonl"))


def show(run: RunRecord, logs: Mapping[int, Mapping[str, float]], pairs: int) -> None:
    """The trend in thirds of the training, then the held-out figures."""
    steps = sorted(logs)
    third = len(steps) // 3
    parts = {"first step": steps[:1], **{f"third {at + 1}": steps[at * third : (at + 1) * third] for at in range(3)}}
    print(f"\nDPO on {pairs} pairs, {len(steps)} steps; means\n")
    print(_row("training", *parts))
    print(_row(*["---"] * (len(parts) + 1)))
    for name in TREND:
        print(_row(name, *(f"{_mean([logs[step][name] for step in part]):.3f}" for part in parts.values())))
    if run.held_out is None:
        return
    systems = [name for name in SYSTEMS if name in run.held_out.figures]
    print(f"\n{run.held_out.rows} held-out rows; per cent, 95 % intervals\n")
    print(_row("held out", *systems))
    print(_row(*["---"] * (len(systems) + 1)))
    for metric in METRICS:
        print(_row(metric, *(_interval(run.held_out.figures[name].get(metric)) for name in systems)))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _interval(figure: tuple[float | None, float | None, float | None] | None) -> str:
    if figure is None or figure[0] is None:
        return "–"
    value, low, high = figure
    bounds = "" if low is None or high is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value:.1f}{bounds}"


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    main()
