"""SFT, merge, DPO and generation for real, through LlamaFactory and TRL side by side, on a Qwen2 that knows nothing.

TRL's training is killed with ``kill -9`` in the middle and goes on.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import training_runs
from generation_rows import processes_about, wait_until

from building import CLI
from pairwright.evaluation.gold import gold_of_build
from pairwright.evaluation.predictions import read_predictions
from pairwright.training_recipes.record import RunRecord, read_record
from pairwright.training_recipes.step_log import read_steps

WAIT = 600
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}


def start(folder: Path, trainer: str) -> subprocess.Popen[str]:
    """Run a trainer's chain as the command line does."""
    command = [*CLI, "train", f"{folder}/{trainer}.chain.yaml", f"{folder}/build", "--output", f"{folder}/{trainer}"]
    more = ["--set", "evaluate.answer_tokens=16"]
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both chains, run to their end; 2 idle cores need under three minutes."""
    folder = tmp_path_factory.mktemp("chains")
    build = training_runs.small_build(folder)
    student = training_runs.model(folder, build)
    for trainer in training_runs.TRAINERS:
        training_runs.chain(folder, student, trainer)
    with ExitStack() as stack:
        first, killed = (stack.enter_context(ended(start(folder, trainer))) for trainer in training_runs.TRAINERS)
        checkpoint = folder / "trl" / "sft" / "checkpoint-2"
        assert wait_until(lambda: (checkpoint / "trainer_state.json").is_file(), WAIT)
        killed.kill()
        assert wait_until(lambda: not processes_about(folder / "trl"), 20)
        for process in (first, stack.enter_context(ended(start(folder, "trl")))):
            finish(process)
    return folder


def record(folder: Path, trainer: str) -> RunRecord:
    found = read_record(folder / trainer)
    assert found is not None
    return found


pytestmark = pytest.mark.timeout(2 * WAIT)
each = pytest.mark.parametrize("trainer", training_runs.TRAINERS)


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
    assert logs[training_runs.STEPS]["loss"] < logs[1]["loss"] - 0.1


@each
def test_dpo_starts_from_the_merged_sft_model_as_its_own_reference(folder: Path, trainer: str) -> None:
    logs = read_steps(folder / trainer / "dpo.steps.jsonl").logs
    assert logs[1]["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert logs[training_runs.STEPS]["rewards/margins"] > 0
    dpo = record(folder, trainer).stage("dpo")
    assert dpo is not None
    assert dpo.drift is not None
    assert dpo.drift.start < -10


@each
def test_every_model_answers_every_held_out_row(folder: Path, trainer: str) -> None:
    gold = gold_of_build(folder / "build")
    for name in ("base", "sft", "dpo"):
        found = read_predictions(folder / trainer / "evaluate" / "predictions" / f"{name}.jsonl", gold)
        assert any(one.raw for one in found)
    recorded = record(folder, trainer).held_out
    assert recorded is not None
    assert set(recorded.figures) == {"base", "sft", "dpo"}
    assert recorded.rows == len(gold.rows)


def test_a_training_that_was_killed_went_on_from_a_checkpoint(folder: Path) -> None:
    sft = record(folder, "trl").stage("sft")
    assert sft is not None
    assert sft.resumed
    assert sft.resumed[0] >= 2
    assert sft.steps == training_runs.STEPS
