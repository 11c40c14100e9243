"""SFT, merge, DPO and generation for real, through LlamaFactory and TRL side by side, on a Qwen2 of 130,000 weights.

The student begins with most answers known by heart, so that there is something to lose: LlamaFactory's DPO has a sane
learning rate, TRL's an absurd one, on an adapter that counts 256-fold. TRL's SFT is killed with ``kill -9`` in the middle and goes on.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import training_runs
from generation_rows import processes_about, wait_until

from building import CLI
from pairwright.evaluation.gold_rows import gold_of_build
from pairwright.evaluation.predictions import read_predictions
from pairwright.training_recipes.runs.run_record import RunRecord, read_record
from pairwright.training_recipes.runs.step_log import read_steps

WAIT = 600
DPO = {"llamafactory": {"learning_rate": 1e-3}, "trl": {"learning_rate": 0.01, "lora_alpha": 2048}}
CPU_SECONDS = 360  # three minutes on two cores
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}


def start(folder: Path, trainer: str) -> subprocess.Popen[str]:
    """Run a trainer's chain as the command line does."""
    command = [*CLI, "train", f"{folder}/{trainer}.chain.yaml", f"{folder}/build", "--output", f"{folder}/{trainer}"]
    more = ["--set", "evaluate.answer_tokens=48"]
    return subprocess.Popen([*command, *more], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Nothing of a test may be left; a run's own processes end with it."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for a run that has to end well."""
    _, said = process.communicate(timeout=WAIT)
    assert process.returncode == 0, said[-3000:]


class Chains(NamedTuple):
    """Both chains, run to their end in ``folder``: in ``cpu_seconds``, those of the killed process included."""

    folder: Path
    cpu_seconds: float


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Chains:
    folder = tmp_path_factory.mktemp("chains")
    build = training_runs.small_build(folder)
    student = training_runs.taught_model(folder, build)
    for trainer, settings in DPO.items():
        training_runs.chain(folder, student, trainer, **settings)
    before = cpu_seconds()
    with ExitStack() as stack:
        first, killed = (stack.enter_context(ended(start(folder, trainer))) for trainer in training_runs.TRAINERS)
        checkpoint = folder / "trl" / "sft" / "checkpoint-2"
        assert wait_until(lambda: (checkpoint / "trainer_state.json").is_file(), WAIT)
        killed.kill()
        assert wait_until(lambda: not processes_about(folder / "trl"), 20)
        for process in (first, stack.enter_context(ended(start(folder, "trl")))):
            finish(process)
    return Chains(folder, cpu_seconds() - before)


def cpu_seconds() -> float:
    """What the processes that this one has waited for, and those that they waited for, have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def folder(chains: Chains) -> Path:
    return chains.folder


def record(folder: Path, trainer: str) -> RunRecord:
    found = read_record(folder / trainer)
    assert found is not None
    return found


pytestmark = pytest.mark.timeout(2 * WAIT)
each = pytest.mark.parametrize("trainer", training_runs.TRAINERS)


def test_both_chains_take_less_than_three_minutes_of_two_cores(chains: Chains) -> None:
    for trainer in training_runs.TRAINERS:
        for stage in record(chains.folder, trainer).stages:
            print(f"{trainer} {stage.name}: {stage.facts['cpu_seconds']} CPU seconds")
    print(f"in all, the command line and the killed training included: {chains.cpu_seconds:.0f}")
    assert chains.cpu_seconds < CPU_SECONDS


@each
def test_all_stages_are_done_and_both_trainings_log_every_step(folder: Path, trainer: str) -> None:
    found = record(folder, trainer)
    assert [stage.name for stage in found.stages] == ["sft", "merge", "dpo", "evaluate"]
    assert found.finished
    for stage in ("sft", "dpo"):
        log = read_steps(folder / trainer / f"{stage}.steps.jsonl")
        assert sorted(log.logs) == list(range(1, training_runs.STEPS + 1))
        assert (log.steps, log.total) == (training_runs.STEPS, training_runs.STEPS)


@each
def test_sft_learns(folder: Path, trainer: str) -> None:
    logs = read_steps(folder / trainer / "sft.steps.jsonl").logs
    first, second = (sum(logs[step]["loss"] for step in epoch) for epoch in (range(1, 6), range(6, 11)))
    assert second < first  # the same rows, once more


@each
def test_dpo_starts_from_the_merged_sft_model_as_its_own_reference(folder: Path, trainer: str) -> None:
    logs = read_steps(folder / trainer / "dpo.steps.jsonl").logs
    assert logs[1]["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert logs[training_runs.STEPS]["rewards/margins"] != pytest.approx(0, abs=1e-4)


@each
def test_every_model_answers_every_held_out_row(folder: Path, trainer: str) -> None:
    gold = gold_of_build(folder / "build")
    answers = {
        name: read_predictions(folder / trainer / "evaluate" / "predictions" / f"{name}.jsonl", gold)
        for name in ("base", "sft", "dpo")
    }
    for name in ("base", "sft"):
        known = sum(one.rewrite == row.reference for one, row in zip(answers[name], gold.rows, strict=True))
        assert known > len(gold.rows) / 2
    recorded = record(folder, trainer).held_out
    assert recorded is not None
    assert set(recorded.figures) == set(answers)
    assert recorded.rows == len(gold.rows)


def test_a_sane_preference_training_is_recommended(folder: Path) -> None:
    found = record(folder, "llamafactory")
    dpo = found.stage("dpo")
    assert dpo is not None
    assert dpo.drift is not None
    assert not dpo.drift.fallen
    assert dpo.notes == ()
    assert found.verdict is not None
    assert list(found.recommended) == ["dpo"]
    assert found.verdict.advice == ()


def test_an_absurd_learning_rate_is_reported_and_the_sft_model_stays_recommended(folder: Path) -> None:
    found = record(folder, "trl")
    dpo = found.stage("dpo")
    assert dpo is not None
    assert dpo.drift is not None
    assert dpo.drift.fallen
    assert any("nats less likely than at the start" in note for note in dpo.notes)
    assert found.verdict is not None
    assert {"exact_match_normalised", "rouge_l"} <= {change.metric for change in found.verdict.worse}
    assert list(found.recommended) == ["sft"]
    assert found.verdict.summary.startswith("dpo is worse than sft on ")
    assert found.verdict.summary.endswith("Use sft.")
    assert "lower learning_rate (0.01 now; try 0.002)" in found.verdict.advice
    assert any("mix in more of the SFT loss" in line for line in found.verdict.advice)


def test_a_training_that_was_killed_went_on_from_a_checkpoint(folder: Path) -> None:
    sft = record(folder, "trl").stage("sft")
    assert sft is not None
    assert sft.resumed
    assert sft.resumed[0] >= 2
    assert sft.steps == training_runs.STEPS
