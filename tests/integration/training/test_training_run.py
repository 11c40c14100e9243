"""Runs of recipes with a trainer that is done at once: order, resuming, records, the guard, sweeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fake_trainer
import pytest
import training_runs

from pairwright.core.errors import ConfigError, StorageError, TrainingError
from pairwright.training_recipes import train as flow
from pairwright.training_recipes.recipes.recipe_files import read_recipe
from pairwright.training_recipes.runs import stage_process, stage_run
from pairwright.training_recipes.runs.display import Quiet
from pairwright.training_recipes.runs.opening import Wishes
from pairwright.training_recipes.runs.options import scalar
from pairwright.training_recipes.runs.run_record import RunRecord, read_record
from pairwright.training_recipes.runs.step_log import read_steps
from pairwright.training_recipes.runs.watchdog import Limits
from pairwright.training_recipes.sweep import Sweep, grid, sweep
from pairwright.training_recipes.train import train


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small build, with enough held-out rows to see a difference."""
    return training_runs.small_build(tmp_path_factory.mktemp("build"), validation=0.3, test=0.3, rows=100)


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The trainer is done at once; pictures are drawn where they are looked at."""
    monkeypatch.setattr(stage_process, "run_process", fake_trainer.run_process)
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr(flow, "pictures_of", lambda *_: ())


@pytest.fixture
def pictures() -> None:
    """For tests that look at pictures."""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The chain of LlamaFactory recipes for a student that is only a folder."""
    student = tmp_path / "student"
    student.mkdir()
    (student / "config.json").write_text('{"model_type": "qwen2"}')
    sft = training_runs.chain(tmp_path, student, "llamafactory", learning_rate=2e-6)
    set_rate(tmp_path / "llamafactory.sft.yaml", 1e-4)
    return sft


def set_rate(path: Path, rate: float) -> None:
    path.write_text(path.read_text().replace("learning_rate: 0.003", f"learning_rate: {rate}"))


def run(recipe: Path, build: Path, output: Path, **wishes: Any) -> RunRecord:
    return train(read_recipe(str(recipe)), build, output, Wishes(**wishes), Quiet())


def test_a_chain_runs_in_order_and_is_recorded(recipe: Path, build: Path, tmp_path: Path, pictures: None) -> None:
    record = run(recipe, build, tmp_path / "run")
    assert record == read_record(tmp_path / "run")
    assert [stage.name for stage in record.stages] == ["sft", "merge", "dpo", "evaluate"]
    assert all(stage.status == "done" for stage in record.stages)
    dpo = record.stage("dpo")
    assert dpo is not None
    assert dpo.settings["model_name_or_path"] == str(tmp_path / "run" / "merge")
    assert (dpo.steps, dpo.metrics["rewards/accuracies"], dpo.facts["peak_memory_gib"]) == (10, 1.0, 1.0)
    assert "exports/llamafactory/small_sft_train.jsonl" in record.data
    assert set(record.prompt_hashes) == {"student.en", "student.zh"}
    assert record.finished
    assert record.pictures == ("sft.png", "dpo.png", "heldout.png")
    assert all((tmp_path / "run" / name).read_bytes().startswith(b"\x89PNG") for name in record.pictures)


def test_held_out_figures_lead_to_the_better_model(recipe: Path, build: Path, tmp_path: Path) -> None:
    record = run(recipe, build, tmp_path / "run", overrides={"dpo.learning_rate": 5e-6})
    assert record.held_out
    assert record.verdict
    shares = {name: figures["exact_match"][0] for name, figures in record.held_out.figures.items()}
    assert (shares["base"] or 0) < (shares["sft"] or 0) < (shares["dpo"] or 0)
    assert {change.metric for change in record.verdict.better} >= {"exact_match_normalised"}
    assert record.recommended == {"dpo": f"hf:{tmp_path / 'run' / 'merge'}+{tmp_path / 'run' / 'dpo'}"}


def test_a_preference_training_that_makes_the_model_worse_is_not_recommended(
    recipe: Path, build: Path, tmp_path: Path
) -> None:
    record = run(recipe, build, tmp_path / "run", overrides={"dpo.learning_rate": 1e-5})
    assert record.verdict
    assert record.recommended == {"sft": f"hf:{tmp_path / 'run' / 'merge'}"}
    assert "dpo is worse than sft on" in record.verdict.summary
    assert "reward accuracy ended at 1.00" in record.verdict.summary
    assert record.verdict.summary.endswith("Use sft.")
    assert any("learning_rate (1e-05 now" in line for line in record.verdict.advice)
    assert any("pref_ftx (0.2 now" in line for line in record.verdict.advice)
    dpo = record.stage("dpo")
    assert dpo is not None
    assert dpo.drift is not None
    assert dpo.drift.fallen


def test_without_held_out_rows_a_fall_in_training_is_enough_to_keep_the_sft_model(
    recipe: Path, build: Path, tmp_path: Path
) -> None:
    record = run(recipe, build, tmp_path / "run", overrides={"dpo.learning_rate": 1e-5}, held_out=())
    assert list(record.recommended) == ["sft"]
    assert record.held_out is None
    assert record.verdict
    assert record.verdict.summary.startswith("No held-out rows")


def test_a_finished_run_is_not_run_again(
    recipe: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(recipe, build, tmp_path / "run")
    monkeypatch.setattr(stage_run, "run_job", None)
    again = run(recipe, build, tmp_path / "run")
    assert again.stages == first.stages
    assert again.held_out == first.held_out


def test_a_killed_training_goes_on_from_its_last_whole_checkpoint(
    recipe: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "save(output / 'checkpoint-5'); (output / 'checkpoint-5' / 'optimizer.pt').unlink()"
    monkeypatch.setenv("FAKE_SCRIPT", f"{broken}; os.kill(os.getpid(), 9)")
    with pytest.raises(TrainingError, match="stage sft was killed"):
        run(recipe, build, tmp_path / "run")
    monkeypatch.delenv("FAKE_SCRIPT")
    record = run(recipe, build, tmp_path / "run")
    sft = record.stage("sft")
    assert sft is not None
    assert sft.resumed == (4,)
    assert sorted(read_steps(tmp_path / "run" / "sft.steps.jsonl").logs) == list(range(1, 11))
    assert not (tmp_path / "run" / "sft" / "checkpoint-5").exists()


def test_a_full_disk_is_named_and_the_run_goes_on_afterwards(
    recipe: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SCRIPT", "raise OSError(28, os.strerror(28))")
    with pytest.raises(TrainingError, match="stage sft: the disk is full\nFree some space"):
        run(recipe, build, tmp_path / "run")
    monkeypatch.delenv("FAKE_SCRIPT")
    assert run(recipe, build, tmp_path / "run").finished


def test_memory_that_runs_out_is_named_with_the_keys_to_change(
    recipe: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "OutOfMemoryError = type('OutOfMemoryError', (Exception,), {}); raise OutOfMemoryError('CUDA out of memory. Tried')"
    monkeypatch.setenv("FAKE_SCRIPT", script)
    with pytest.raises(TrainingError, match=r"the GPU ran out of memory\nLower per_device_train_batch_size \(now 4\)"):
        run(recipe, build, tmp_path / "run")


def test_other_settings_in_the_same_folder_are_refused_until_it_is_begun_afresh(
    recipe: Path, build: Path, tmp_path: Path
) -> None:
    run(recipe, build, tmp_path / "run")
    with pytest.raises(ConfigError, match="holds a run of other settings"):
        run(recipe, build, tmp_path / "run", overrides={"sft.learning_rate": 5e-6})
    record = run(recipe, build, tmp_path / "run", overrides={"sft.learning_rate": 5e-6}, fresh=True)
    assert [stage.resumed for stage in record.stages] == [(), (), (), ()]


def test_settings_may_change_after_a_failure_that_left_nothing(
    recipe: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_process, "run_process", lambda _, log, __: log.write_text("") or 1)
    with pytest.raises(TrainingError, match="exit code 1"):
        run(recipe, build, tmp_path / "run")
    monkeypatch.setattr(stage_process, "run_process", fake_trainer.run_process)
    assert run(recipe, build, tmp_path / "run", overrides={"sft.learning_rate": 5e-6}, held_out=()).finished


def test_folders_that_no_run_made_are_never_removed(recipe: Path, build: Path, tmp_path: Path) -> None:
    mine = tmp_path / "run" / "sft" / "my-thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("years")
    for fresh in (False, True):
        with pytest.raises(ConfigError, match="holds no record of a run"):
            run(recipe, build, tmp_path / "run", fresh=fresh)
    assert mine.read_text() == "years"


@pytest.mark.parametrize("name", ["cache", "sft.yaml", "dpo.log", "run.json", "evaluate", "sft.steps.jsonl"])
def test_files_that_no_run_made_are_neither_removed_nor_overwritten(
    recipe: Path, build: Path, tmp_path: Path, name: str
) -> None:
    mine = tmp_path / "run" / name
    mine = mine if "." in name else mine / "my-thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text('{"years": 3}')
    for fresh in (False, True):
        with pytest.raises((ConfigError, TrainingError)):
            run(recipe, build, tmp_path / "run", fresh=fresh)
    assert mine.read_text() == '{"years": 3}'


def test_a_link_in_the_folder_of_a_run_is_refused(recipe: Path, build: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("years")
    for name in ("sft.log", "run.lock"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).symlink_to(mine)
        with pytest.raises((ConfigError, StorageError), match=f"{name}: (exists already|a link)"):
            run(recipe, build, folder)
    assert mine.read_text() == "years"


def test_a_folder_of_an_older_version_goes_with_fresh_and_other_files_stay(
    recipe: Path, build: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    run(recipe, build, folder, held_out=())
    (folder / "run.files.json").unlink(missing_ok=True)
    (folder / "notes.txt").write_text("my own")
    assert run(recipe, build, folder, fresh=True, held_out=()).finished
    assert (folder / "notes.txt").read_text() == "my own"


def test_another_evaluation_of_a_finished_run_trains_nothing(recipe: Path, build: Path, tmp_path: Path) -> None:
    first = run(recipe, build, tmp_path / "run")
    both = run(recipe, build, tmp_path / "run", held_out=("validation", "test"))
    assert first.stages[:3] == both.stages[:3]
    assert first.held_out
    assert both.held_out
    assert both.held_out.rows > first.held_out.rows


def sweep_of(recipe: Path, build: Path, output: Path, *words: str) -> Sweep:
    return sweep(read_recipe(str(recipe)), build, output, grid(words, scalar), Wishes(limits=Limits()), Quiet())


def test_a_sweep_trains_what_its_points_share_once_and_names_the_best(
    recipe: Path, build: Path, tmp_path: Path
) -> None:
    found = sweep_of(recipe, build, tmp_path / "sweep", "dpo.learning_rate=1e-6,5e-6,1e-5")
    assert found.best == "dpo.learning_rate=5e-06"
    assert [point.behind is None for point in found.points] == [False, True, False]
    assert not found.points[2].noise
    assert found.verdict.startswith(f"Best on {found.rows} validation rows: dpo.learning_rate=5e-06, restoration_f1")
    folders = sorted(path.name for path in (tmp_path / "sweep").iterdir() if path.is_dir())
    assert folders == [*sorted(point.name for point in found.points), "shared"]
    assert (tmp_path / "sweep" / "shared" / "merge").is_dir()
    assert not (tmp_path / "sweep" / found.best / "sft").exists()
    dpo = read_record(tmp_path / "sweep" / found.best)
    assert dpo is not None
    assert dpo.stages[0].settings["model_name_or_path"] == str(tmp_path / "sweep" / "shared" / "merge")
    assert json.loads((tmp_path / "sweep" / "sweep.json").read_text())["best"] == found.best


def test_points_that_cannot_be_told_apart_are_said_to_be_noise(recipe: Path, build: Path, tmp_path: Path) -> None:
    found = sweep_of(recipe, build, tmp_path / "sweep", "dpo.pref_beta=0.1,0.3")
    assert "No other point can be told from it" in found.verdict
    assert "sft, which it started from, differs by -" in found.verdict


def test_a_sweep_over_the_first_stage_shares_nothing(recipe: Path, build: Path, tmp_path: Path) -> None:
    found = sweep_of(recipe, build, tmp_path / "sweep", "sft.learning_rate=1e-4,1e-5")
    assert all((tmp_path / "sweep" / point.name / "merge").is_dir() for point in found.points)
    assert found.before["exact_match"][0] is not None


def test_a_sweep_that_was_stopped_goes_on(
    recipe: Path, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_of(recipe, build, tmp_path / "sweep", "dpo.learning_rate=1e-6,5e-6")
    trained: list[str] = []
    real = stage_run.run_job
    monkeypatch.setattr(stage_run, "run_job", lambda *args: (trained.append(args[1]), real(*args))[1])
    found = sweep_of(recipe, build, tmp_path / "sweep", "dpo.learning_rate=1e-6,5e-6,1e-5")
    assert trained == ["dpo", "evaluate"]
    assert len(found.points) == 3


@pytest.mark.parametrize(
    ("words", "points"),
    [
        (["a=1,2 b=x"], [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]),
        (["a=1e-5,5e-6", "b=0.1"], [{"a": 1e-5, "b": 0.1}, {"a": 5e-6, "b": 0.1}]),
        (["a=1,2,b=3,4"], [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]),
    ],
)
def test_a_grid_is_every_combination(words: list[str], points: list[dict[str, Any]]) -> None:
    assert list(grid(words, scalar)) == points


@pytest.mark.parametrize("words", [["1e-5,2"], ["a=1"], ["a=1,2 a=3"], ["a="], [""]])
def test_what_is_no_grid_is_an_error(words: list[str]) -> None:
    with pytest.raises(ConfigError, match="--sweep"):
        grid(words, scalar)


def test_a_sweep_over_a_key_that_changes_nothing_is_an_error(recipe: Path, build: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="change nothing"):
        sweep_of(recipe, build, tmp_path / "sweep", "evaluate.nothing=1,2")
