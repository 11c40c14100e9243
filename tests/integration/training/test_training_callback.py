"""What the trainers' process tells and when it stops itself; KTO and SimPO through TRL's launcher."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import training_runs

from pairwright.core.errors import TrainingError
from pairwright.training_recipes.runs.step_log import StepWriter, read_steps
from pairwright.training_recipes.runs.watchdog import WatchSettings

pytest.importorskip("torch")
from pairwright.training_recipes.runs.step_callback import StepCallback

TRAIN = """
import json, sys
from pathlib import Path
from pairwright.training_recipes.runs.step_callback import StepCallback
from pairwright.training_recipes.runs.step_log import StepWriter
from pairwright.training_recipes.runs.trl_launcher import train
for name, settings in json.load(open(sys.argv[1])).items():
    train(name.partition(" ")[0], settings, StepCallback(StepWriter(Path(sys.argv[1]).with_name(f"{name}.steps")), None))
"""


def state(step: int, *, first: bool = True) -> SimpleNamespace:
    return SimpleNamespace(global_step=step, max_steps=10, is_world_process_zero=first)


def log(callback: StepCallback, step: int, control: object = None, *, first: bool = True, **logs: float) -> None:
    named = {name.replace("__", "/"): value for name, value in logs.items()}
    callback.on_log(None, state(step, first=first), control, logs=named)


def test_gradients_that_are_no_number_end_the_training(tmp_path: Path) -> None:
    callback = StepCallback(StepWriter(tmp_path / "steps"), None)
    log(callback, 1, loss=1.0, grad_norm=math.nan)
    log(callback, 2, loss=1.0, grad_norm=0.3)
    log(callback, 3, loss=0.0, grad_norm=math.nan)
    log(callback, 4, loss=0.0, grad_norm=math.nan)
    with pytest.raises(TrainingError, match=r"no number \(NaN\) since step 3"):
        log(callback, 5, loss=0.0, grad_norm=math.nan)
    assert read_steps(tmp_path / "steps").logs[3] == {"loss": 0.0}


@pytest.mark.parametrize("stop", [True, False])
def test_a_fall_of_the_chosen_answers_is_said_once_and_stops_where_that_is_asked_for(
    tmp_path: Path, stop: bool
) -> None:
    callback = StepCallback(StepWriter(tmp_path / "steps"), WatchSettings(beta=0.1, fall=1.0, stop=stop))
    control = SimpleNamespace(should_training_stop=False)
    for step in range(1, 9):
        fall = 2.0 * step
        log(callback, step, control, loss=0.1, rewards__chosen=-0.1 * fall, logps__chosen=-6.0 - fall)
        assert control.should_training_stop == (stop and step >= 5)
    (note,) = read_steps(tmp_path / "steps").notes
    assert note.startswith("step 5: the chosen answers are 8.0 nats less likely than at the start (logps/chosen -6.0")
    assert note.endswith("stopped") == stop


def test_only_the_first_process_of_a_training_writes(tmp_path: Path) -> None:
    callback = StepCallback(StepWriter(tmp_path / "steps"), None)
    log(callback, 1, first=False, loss=1.0)
    assert not (tmp_path / "steps").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """KTO, SimPO, and SFT in one go and gone on from its second step, all in one process: importing TRL takes longer."""
    folder = tmp_path_factory.mktemp("trained")
    build = training_runs.small_build(folder)
    common = {
        **training_runs.COMMON,
        "model_name_or_path": str(training_runs.model(folder, build)),
        "dataset_name": str(build / "exports" / "trl"),
        "max_steps": 4,
    }
    simpo = {"dataset_config": "dpo", "loss_type": "simpo", "cpo_alpha": 0.0}
    sft = {"dataset_config": "sft", "use_peft": True, "lora_dropout": 0.1, "logging_steps": 1}
    half = str(folder / "sft" / "checkpoint-2")
    settings: dict[str, dict[str, object]] = {
        "kto": {**common, "dataset_config": "kto", "beta": 0.1},
        "simpo": {**common, **simpo},
        "sft": {**common, **sft},
        "sft again": {**common, **sft, "resume_from_checkpoint": half},
    }
    for name, one in settings.items():
        one["output_dir"] = str(folder / name)
    (folder / "settings.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRAIN, str(folder / "settings.json")],
        capture_output=True,
        text=True,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("kind", ["kto", "simpo"])
def test_kto_and_simpo_train_with_trl(trained: Path, kind: str) -> None:
    logs = read_steps(trained / f"{kind}.steps").logs
    assert sorted(logs) == [1, 2, 3, 4]
    assert math.isfinite(logs[4]["logps/chosen"])
    assert (trained / kind / "model.safetensors").is_file()


def test_a_training_that_goes_on_ends_with_the_figures_of_one_that_was_not_stopped(trained: Path) -> None:
    whole, later = (read_steps(trained / f"{name}.steps").logs for name in ("sft", "sft again"))
    assert sorted(later) == [3, 4]
    for step in later:
        assert later[step]["loss"] == pytest.approx(whole[step]["loss"], abs=1e-4)
        assert later[step]["grad_norm"] == pytest.approx(whole[step]["grad_norm"], rel=1e-3)
