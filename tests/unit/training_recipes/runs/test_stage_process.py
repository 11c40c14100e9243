"""Stages as processes: the step log, checkpoints, and what becomes of a trainer's death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from generation_rows import processes_about, wait_until

from pairwright.cli.training_display import line_of
from pairwright.core.errors import ConfigError, TrainingError
from pairwright.training_recipes.runs import stage_process
from pairwright.training_recipes.runs.checkpoints import last_checkpoint, remove_broken
from pairwright.training_recipes.runs.failures import failure
from pairwright.training_recipes.runs.options import asked, scalar
from pairwright.training_recipes.runs.stage_job import StageJob
from pairwright.training_recipes.runs.stage_process import command_of, run_job
from pairwright.training_recipes.runs.step_log import StepLog, StepWriter, read_steps
from pairwright.training_recipes.runs.watchdog import WatchSettings, drift_of

SETTINGS = {"model_name_or_path": "some/model", "per_device_train_batch_size": 4}


def checkpoint(folder: Path, step: int, *, without: str = "") -> Path:
    """A checkpoint as trainers leave it."""
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    for name, text in {"adapter_model.safetensors": "w", "optimizer.pt": "o", "trainer_state.json": "{}"}.items():
        if name != without:
            (path / name).write_text(text)
    return path


def test_figures_are_read_as_they_are_written(tmp_path: Path) -> None:
    writer, log = StepWriter(tmp_path / "steps"), StepLog(tmp_path / "steps")
    assert not log.read()
    writer.write("begin", step=0, total=10, facts={"gpus": []})
    writer.write("log", step=5, metrics={"loss": 0.5})
    assert log.read()
    assert not log.read()
    writer.write("step", step=7)
    writer.write("log", step=7, metrics={"eval_loss": 0.4})
    writer.write("log", step=10, metrics={"train_runtime": 3.0})
    writer.write("done", facts={"peak_memory_gib": 1.0})
    log.read()
    assert (log.steps, log.total, log.done) == (7, 10, True)
    assert (log.logs, log.evaluations) == ({5: {"loss": 0.5}}, {7: {"eval_loss": 0.4}})
    assert log.summary == {"train_runtime": 3.0}
    assert log.facts == {"gpus": [], "peak_memory_gib": 1.0}


def test_steps_after_the_checkpoint_that_training_goes_on_from_are_forgotten(tmp_path: Path) -> None:
    writer = StepWriter(tmp_path / "steps")
    writer.write("begin", step=0, total=10, facts={})
    for step in (2, 4, 6):
        writer.write("log", step=step, metrics={"loss": 1.0})
    writer.write("begin", step=4, total=10, facts={})
    writer.write("log", step=6, metrics={"loss": 0.2})
    assert read_steps(tmp_path / "steps").logs == {2: {"loss": 1.0}, 4: {"loss": 1.0}, 6: {"loss": 0.2}}


def test_a_line_that_a_killed_process_left_unfinished_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "steps"
    writer = StepWriter(path)
    writer.write("begin", step=0, total=4, facts={})
    with path.open("a") as file:
        file.write('{"event": "log", "st')
    assert read_steps(path).total == 4
    writer.write("log", step=1, metrics={"loss": 1.0})
    assert read_steps(path).logs == {1: {"loss": 1.0}}


def test_the_pace_counts_from_the_checkpoint(tmp_path: Path) -> None:
    lines = [
        {"event": "begin", "time": 100.0, "step": 40, "total": 100, "facts": {}},
        {"event": "step", "time": 110.0, "step": 60},
    ]
    (tmp_path / "steps").write_text("".join(json.dumps(line) + "\n" for line in lines))
    log = read_steps(tmp_path / "steps")
    assert log.seconds_left == pytest.approx(20.0)
    assert line_of("dpo", log) == "dpo: step 60/100  0:20 left"


def test_the_last_whole_checkpoint_is_gone_on_from_and_broken_ones_go(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    checkpoint(tmp_path, 5)
    whole = checkpoint(tmp_path, 10)
    broken = [checkpoint(tmp_path, 15, without="trainer_state.json"), checkpoint(tmp_path, 20, without="optimizer.pt")]
    (checkpoint(tmp_path, 100) / "trainer_state.json").write_text('{"log_his')
    assert last_checkpoint(tmp_path) == whole
    remove_broken(tmp_path)
    assert not any(path.exists() for path in broken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-5"]


@pytest.mark.parametrize(
    ("printed", "message", "step"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "the GPU ran out", "(now 4)"),
        ("OSError: [Errno 28] No space left on device: 'x'", "the disk is full", "--output"),
        ("SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)", "disk", "Free"),
        (
            "RuntimeError: [enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0",
            "the disk is full",
            "save_total_limit",
        ),
        ("OSError: some/model is not a local folder and is not a valid model identifier", "some/model", "--model PATH"),
        ("ValueError: Your setup doesn't support bf16/gpu.", "cannot compute in bf16", "fp16=true"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "machine ran out", "LoRA"),
        ("ModuleNotFoundError: No module named 'deepspeed'", "No module named 'deepspeed'", "'llamafactory=="),
        ("KeyError: 'weird'", "KeyError: 'weird'", "Run the command again"),
    ],
)
def test_a_trainers_death_becomes_a_paragraph_with_the_next_step(
    tmp_path: Path, printed: str, message: str, step: str
) -> None:
    log = tmp_path / "sft.log"
    log.write_text(f"Traceback (most recent call last):\n  File x\n{printed}\n")
    error = failure("sft", 1, log, SETTINGS)
    assert message in error.message
    assert step in error.hint
    assert str(log) in error.hint


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        ("  exitcode  : -9 (pid: 195)\n  traceback : Signal 9 (SIGKILL) received by PID 195", "was killed (signal 9)"),
        ("[rank1]: KeyError: 'weird'", "exit code 1: KeyError: 'weird'"),
    ],
)
def test_torchrun_does_not_hide_what_its_processes_died_of(tmp_path: Path, printed: str, message: str) -> None:
    log = tmp_path / "sft.log"
    raised = "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: "
    log.write_text("\n".join([raised, printed] if "exitcode" in printed else [printed, raised]))
    assert message in failure("sft", 1, log, SETTINGS).message


def job(tmp_path: Path, **settings: object) -> StageJob:
    return StageJob(
        parent=os.getpid(),
        trainer="llamafactory",
        kind="sft",
        settings={**SETTINGS, **settings},
        steps=str(tmp_path / "sft.steps.jsonl"),
    )


def run_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> StepLog:
    """Run a stage whose trainer is a Python script."""
    monkeypatch.setattr(stage_process, "command_of", lambda *_: [sys.executable, "-c", script])
    return run_job(job(tmp_path), "sft", tmp_path / "sft.log", 0, lambda _: None)


def test_a_killed_trainer_is_told_from_one_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match="killed") as caught:
        run_script(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 9)")
    assert "per_device_train_batch_size (now 4)" in caught.value.hint


def test_a_trainer_that_fills_the_disk_is_named_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match="the disk is full"):
        run_script(tmp_path, monkeypatch, "file = open('/dev/full', 'w'); file.write('weights'); file.flush()")


def test_what_an_earlier_try_died_of_is_not_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    StepWriter(tmp_path / "sft.steps.jsonl").write("error", message="no GPU", hint="buy one")
    for script, message in (("raise MemoryError", "the machine ran out of memory"), ("1 / 0", "ZeroDivisionError")):
        with pytest.raises(TrainingError, match=message):
            run_script(tmp_path, monkeypatch, script)


def test_what_the_trainer_says_of_its_own_error_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = str(tmp_path / "sft.steps.jsonl")
    script = (
        "from pathlib import Path; from pairwright.training_recipes.runs.step_log import StepWriter\n"
        f"StepWriter(Path({steps!r})).write('error', message='no GPU', hint='buy one'); raise SystemExit(1)"
    )
    with pytest.raises(TrainingError, match="stage sft: no GPU\nbuy one"):
        run_script(tmp_path, monkeypatch, script)


def test_a_trainer_that_ends_well_without_being_done_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingError, match="exit code 0: bye"):
        run_script(tmp_path, monkeypatch, "print('bye')")


def test_ctrl_c_ends_the_trainer_and_its_children(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from pairwright.training_recipes.runs.stage_process import run_process
wait = "import subprocess, sys, time; time.sleep(60)"
child = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {wait!r}, sys.argv[1]]); print(1); p.wait()"
run_process([sys.executable, "-c", child, sys.argv[1]], Path(sys.argv[1]), lambda: None)
"""
    log = tmp_path / "log"
    process = subprocess.Popen([sys.executable, "-c", script, str(log)], stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: len(processes_about(tmp_path)) == 3, 30)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert "stopped by Ctrl-C" in error
    assert processes_about(tmp_path) == []


def test_several_gpus_and_deepspeed_get_torchrun_and_one_gpu_does_not(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    assert "torch.distributed.run" not in command_of(job(tmp_path), path, 1)
    assert command_of(job(tmp_path), path, 4)[-6:-3] == ["--nproc_per_node", "4", "--standalone"]
    assert "torch.distributed.run" in command_of(job(tmp_path, deepspeed="z3.json"), path, 1)


def test_values_are_read_as_recipes_read_them() -> None:
    found = asked(None, ["learning_rate=5e-6", "dpo.pref_beta=0.3", "use_cpu=true", "template=qwen"], False, False)
    assert found.overrides == {"learning_rate": 5e-6, "dpo.pref_beta": 0.3, "use_cpu": True, "template": "qwen"}
    assert scalar("[1") == "[1"
    assert scalar("no") == "no"  # eval_strategy=no


@pytest.mark.parametrize("model", ["./none", "none", "/none/at/all"])
def test_a_model_folder_that_is_not_there_is_an_error_before_anything_starts(model: str) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        asked(model, [], False, False)


def test_a_change_without_a_value_is_an_error() -> None:
    with pytest.raises(ConfigError, match="expected KEY=VALUE"):
        asked(None, ["learning_rate"], False, False)


def test_the_drift_of_the_chosen_answers_comes_from_their_rewards() -> None:
    settings = WatchSettings(beta=0.1, fall=1.0)
    batches = [(-5.0, 0.0), (-9.0, -0.1), (-20.0, -1.3), (-18.0, -1.3), (-19.0, -1.3)]
    logs = {step: {"logps/chosen": logp, "rewards/chosen": reward} for step, (logp, reward) in enumerate(batches)}
    drift = drift_of(logs, settings)
    assert drift is not None
    assert drift.nats == pytest.approx(-13.0)
    assert drift.start == pytest.approx(-(5 + 8 + 7 + 5 + 6) / 5)
    assert drift.fallen


def test_long_answers_may_move_further_before_they_have_fallen() -> None:
    logs = {1: {"logps/chosen": -100.0, "rewards/chosen": -1.0}}
    drift = drift_of(logs, WatchSettings(beta=0.1, fall=1.0))
    assert drift is not None
    assert drift.nats == pytest.approx(-10.0)
    assert not drift.fallen


def test_without_a_reference_model_the_drift_is_taken_from_the_first_steps() -> None:
    logs = {step: {"logps/chosen": value} for step, value in enumerate((-0.5, -0.5, -0.5, -0.9, -1.4, -1.4, -1.4))}
    drift = drift_of(logs, WatchSettings(beta=None, fall=1.0))
    assert drift is not None
    assert drift.nats == pytest.approx(-0.9)
    assert drift.fallen
    assert drift_of({1: {"loss": 1.0}}, WatchSettings(beta=None, fall=1.0)) is None
