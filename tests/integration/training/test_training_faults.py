"""What a person reads when a training cannot begin or dies: real processes, real limits, a real full disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import fake_trainer
import pytest
import recipe_builds
import training_runs

from building import CLI
from pairwright.core.errors import PairwrightError, TrainingError
from pairwright.core.extras import install_line
from pairwright.training_recipes.recipes.recipe_files import read_recipe
from pairwright.training_recipes.runs import stage_process
from pairwright.training_recipes.runs.display import Quiet
from pairwright.training_recipes.runs.opening import Wishes
from pairwright.training_recipes.runs.run_record import RunRecord
from pairwright.training_recipes.runs.stage_job import StageJob
from pairwright.training_recipes.runs.stage_process import run_job
from pairwright.training_recipes.train import train

HIDDEN = "import sys; sys.modules.update(dict.fromkeys(({names},)))"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recipe_builds.finished_build(tmp_path_factory.mktemp("build"))


@pytest.fixture
def sft(tmp_path: Path) -> Path:
    """An SFT recipe for a student that is only a folder."""
    student = tmp_path / "student"
    student.mkdir()
    (student / "config.json").write_text('{"model_type": "qwen2"}')
    training_runs.chain(tmp_path, student, "llamafactory")
    path = tmp_path / "llamafactory.sft.yaml"
    text = path.read_text().replace("learning_rate: 0.003", "learning_rate: 0.0001")
    path.write_text(text.replace("cutoff_len: 512", "cutoff_len: 2048"))
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def run(recipe: Path, build: Path, output: Path) -> RunRecord:
    """Train with the trainer that is done at once."""
    return train(read_recipe(str(recipe)), build, output, Wishes(held_out=()), Quiet())


def dies(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let the trainer run ``script`` after its fifth step."""
    monkeypatch.setattr(stage_process, "run_process", fake_trainer.run_process)
    monkeypatch.setenv("FAKE_SCRIPT", script)


def test_a_disk_that_fills_up_is_named_and_the_run_goes_on_when_there_is_room(
    sft: Path, build: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies(
        monkeypatch,
        "(output / 'checkpoint-5').mkdir(); (output / 'checkpoint-5' / 'optimizer.pt').write_bytes(bytes(1 << 20))",
    )
    with pytest.raises(PairwrightError, match="the disk is full\nFree some space, or give another --output"):
        run(sft, build, small_disk / "run")
    monkeypatch.delenv("FAKE_SCRIPT")
    record = run(sft, build, small_disk / "run")
    assert record.finished
    assert record.stages[0].resumed == (4,)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
            "(output / 'weights').write_bytes(bytes(8192))",
            "a file grew larger than this machine lets it\n'ulimit -f' shows the limit",
        ),
        (
            "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 33, 1 << 33)); bytearray(1 << 40)",
            r"the machine ran out of memory\nLower per_device_train_batch_size \(now 4\)",
        ),
        (
            "import os; os.kill(os.getpid(), 9)",
            r"killed \(signal 9\); most often the system does that when memory runs out\nLower per_device_train_batch",
        ),
        ("import no_such_package", "a package that this recipe needs is missing: .*no_such_package"),
    ],
)
def test_a_trainer_that_meets_a_limit_leaves_the_next_step(
    sft: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    dies(monkeypatch, script)
    with pytest.raises(TrainingError, match=message) as caught:
        run(sft, build, tmp_path / "run")
    assert "it goes on from the last checkpoint" in caught.value.hint


def test_without_the_trainers_nothing_is_started(sft: Path, build: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDDEN.format(names="'torch', 'llamafactory'"))
    done = subprocess.run(
        [*CLI, "train", str(sft), str(build), "--output", str(tmp_path / "run")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "error: sft.trainer: needs torch, llamafactory: not installed here" in done.stderr
    assert install_line("train") in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_recipe_for_a_gpu_says_so_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    job = StageJob(parent=os.getpid(), trainer="trl", kind="sft", settings={}, steps=str(tmp_path / "sft.steps.jsonl"))
    with pytest.raises(TrainingError, match="this recipe trains on a GPU, and PyTorch sees none\n.*use_cpu=true"):
        run_job(job, "sft", tmp_path / "sft.log", 0, lambda _: None)


def test_a_model_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("peft")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settings = {"model_name_or_path": "no/such-model", "adapter_name_or_path": "x", "export_dir": str(tmp_path / "m")}
    job = StageJob(parent=os.getpid(), trainer="trl", kind="merge", settings=settings, steps=str(tmp_path / "steps"))
    with pytest.raises(TrainingError, match="there is no model to load at no/such-model\nGive the folder"):
        run_job(job, "merge", tmp_path / "merge.log", 0, lambda _: None)
