"""Every trap that the trainers let pass is caught before a run, with the right message; shipped recipes have none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import recipe_builds
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pairwright.core.errors import ConfigError, TrainingError
from pairwright.training_recipes.checks.device import Device, read_device
from pairwright.training_recipes.checks.problem import Problem
from pairwright.training_recipes.checks.run_check import check
from pairwright.training_recipes.recipes.recipe_files import Recipe, read_recipe, recipes
from pairwright.training_recipes.recipes.rendering import Stage, render

LORA, DPO, CHAIN = "qwen2.5-3b.sft.lora", "qwen2.5-3b.dpo.mixed", "qwen2.5-3b.chain"
ADAPTER, KTO, SIMPO = "qwen2.5-3b.dpo.adapter", "qwen2.5-3b.kto", "qwen2.5-3b.simpo"
TRL_SFT, TRL_DPO, TRL_KTO, TRL_SIMPO = (f"qwen2.5-3b.trl.{kind}" for kind in ("sft", "dpo", "kto", "simpo"))
FAMILY = {"qwen2": "qwen2", "qwen3": "qwen3", "smoll": "llama"}
RECIPES = recipes()
GONE = object()


class Broken(NamedTuple):
    """A recipe with one thing wrong in its last training stage, and what must be said about it."""

    recipe: str
    changes: Mapping[str, Any]
    key: str
    message: str
    warning: bool = False
    device: str | None = None


BROKEN = {
    # keys, types, choices
    "unknown key": Broken(LORA, {"lora_rnak": 8}, "lora_rnak", "has no such key"),
    "a key of another trainer": Broken(TRL_SFT, {"lora_rank": 8}, "lora_rank", "TRL 0.24.0 (sft) has no such key"),
    "train_on_assistant_only": Broken(
        LORA, {"train_on_assistant_only": True}, "train_on_assistant_only", "no such key"
    ),
    "a key that was renamed": Broken(LORA, {"evaluation_strategy": "no"}, "evaluation_strategy", "no such key"),
    "a number as text": Broken(
        LORA, {"learning_rate": "1e-5"}, "learning_rate", "takes a number, found the text '1e-5'"
    ),
    "a number for a switch": Broken(LORA, {"bf16": 1}, "bf16", "takes true or false, found 1"),
    "text for a number": Broken(LORA, {"lora_rank": "sixteen"}, "lora_rank", "takes a whole number"),
    "a bare no": Broken(LORA, {"eval_strategy": False}, "eval_strategy", "takes one of no, steps, epoch, found false"),
    "no such stage": Broken(LORA, {"stage": "dpoo"}, "stage", "takes one of pt, sft, rm, ppo, dpo, kto"),
    "no such loss": Broken(DPO, {"pref_loss": "kto"}, "pref_loss", "takes one of sigmoid, hinge"),
    "no such loss in TRL": Broken(TRL_DPO, {"loss_type": ["sigmiod"]}, "loss_type", "takes one of"),
    "no such scheduler": Broken(
        LORA, {"lr_scheduler_type": "cosin"}, "lr_scheduler_type", "takes one of linear, cosine"
    ),
    "a batch of nothing": Broken(
        LORA, {"per_device_train_batch_size": 0}, "per_device_train_batch_size", "more than 0"
    ),
    # template and model
    "no such template": Broken(LORA, {"template": "qwen2_5"}, "template", "has no template 'qwen2_5'"),
    "no template at all": Broken(LORA, {"template": GONE}, "template", "is missing"),
    "a template of another model": Broken(
        LORA, {"template": "llama3"}, "template", "not the template of Qwen/Qwen2.5-3B"
    ),
    "an empty think block": Broken(
        "qwen3-4b.sft.lora",
        {"model_name_or_path": "Qwen/Qwen3-4B", "template": "qwen3"},
        "template",
        "empty <think> block",
    ),
    "a template that thinks": Broken(
        "qwen3-4b.sft.lora", {"template": "qwen3"}, "template", "'qwen3' is not the template"
    ),
    "a misspelt model": Broken(
        LORA,
        {"model_name_or_path": "Qwen/Qwen2.5-3B-Instuct"},
        "model_name_or_path",
        "did you mean qwen2.5-3b-instruct",
        True,
    ),
    "no model": Broken(LORA, {"model_name_or_path": GONE}, "model_name_or_path", "is missing"),
    "no such model folder": Broken(DPO, {"model_name_or_path": "saves/x/y"}, "model_name_or_path", "no such folder"),
    "no such adapter folder": Broken(
        ADAPTER, {"adapter_name_or_path": "saves/x/y"}, "adapter_name_or_path", "no such folder"
    ),
    "an adapter as model": Broken(
        DPO, {"model_name_or_path": "saves/qwen2.5-3b/sft"}, "model_name_or_path", "holds an adapter"
    ),
    "an adapter as model in TRL": Broken(
        TRL_DPO, {"model_name_or_path": "saves/qwen2.5-3b/trl-sft"}, "model_name_or_path", "holds an adapter"
    ),
    "an adapter of another model": Broken(
        ADAPTER,
        {"model_name_or_path": "Qwen/Qwen2.5-7B-Instruct"},
        "adapter_name_or_path",
        "was trained on Qwen/Qwen2.5-3B",
    ),
    "no such module": Broken(
        LORA, {"lora_target": "q_proj,v_porj"}, "lora_target", "no module 'v_porj', did you mean v_proj?"
    ),
    # data
    "a set that is not registered": Broken(
        LORA, {"dataset": "demo_sft_trian"}, "dataset", "did you mean demo_sft_train?"
    ),
    "pairs for SFT": Broken(LORA, {"dataset": "demo_dpo_train"}, "dataset", "holds the pairs, and SFT trains on"),
    "answers for DPO": Broken(DPO, {"dataset": "demo_sft_train"}, "dataset", "holds the accepted answers, and DPO"),
    "pairs for KTO": Broken(
        KTO, {"dataset": "demo_dpo_train"}, "dataset", "holds the pairs, and KTO trains on answers with"
    ),
    "a set of another kind in TRL": Broken(
        TRL_DPO, {"dataset_config": "sft"}, "dataset_config", "Set 'dataset_config: dpo'"
    ),
    "rows are cut": Broken(LORA, {"cutoff_len": 256}, "cutoff_len", "the end of the prompt, which is the query"),
    "rows are cut by TRL's default": Broken(
        TRL_DPO, {"max_prompt_length": GONE}, "max_prompt_length", "longer than 512"
    ),
    "no evaluation data": Broken(LORA, {"eval_dataset": GONE}, "eval_strategy", "there is no evaluation data"),
    "two ways to evaluate": Broken(LORA, {"val_size": 0.1}, "val_size", "cannot be combined with 'eval_dataset'"),
    "no room for the answer": Broken(
        TRL_KTO, {"max_prompt_length": 4096, "max_length": 4096}, "max_prompt_length", "less than 'max_length' (4096)"
    ),
    "an empty split in TRL": Broken(
        TRL_SFT, {"dataset_test_split": "dev"}, "dataset_test_split", "no rows in demo_sft_dev"
    ),
    # how it learns
    "hinge runs as sigmoid": Broken(DPO, {"pref_loss": "hinge"}, "pref_loss", "'hinge' runs as sigmoid"),
    "ipo runs as sigmoid": Broken(DPO, {"pref_loss": "ipo"}, "pref_loss", "'ipo' runs as sigmoid"),
    "kto_pair runs as sigmoid": Broken(DPO, {"pref_loss": "kto_pair"}, "pref_loss", "'kto_pair' runs as sigmoid"),
    "the base model as reference": Broken(ADAPTER, {"create_new_adapter": GONE}, "create_new_adapter", "base model"),
    "a quantised adapter goes on": Broken(
        ADAPTER, {"quantization_bit": 4}, "adapter_name_or_path", "base model is the ref"
    ),
    "gamma without SimPO": Broken(DPO, {"simpo_gamma": 1.0}, "simpo_gamma", "does nothing without SimPO"),
    "SimPO without its loss": Broken(TRL_SIMPO, {"loss_type": "sigmoid"}, "loss_type", "'sigmoid' is no SimPO"),
    "an SFT loss in SimPO": Broken(TRL_SIMPO, {"cpo_alpha": GONE}, "cpo_alpha", "the default of 1.0 adds an SFT loss"),
    "SimPO with DPO's beta": Broken(SIMPO, {"pref_beta": 0.1}, "pref_beta", "far below what SimPO uses", True),
    "KTO one by one": Broken(TRL_KTO, {"per_device_train_batch_size": 1}, "per_device_train_batch_size", "another one"),
    "no limit means 128": Broken(TRL_KTO, {"max_prompt_length": None}, "max_prompt_length", "null means 128 tokens"),
    "mask_history outside SFT": Broken(DPO, {"mask_history": True}, "mask_history", "is for SFT, and this is DPO"),
    "assistant masks": Broken(TRL_SFT, {"assistant_only_loss": True}, "assistant_only_loss", "marks the answers"),
    "DPO alone on minimal edits": Broken(DPO, {"pref_ftx": 0.0}, "pref_ftx", "the pairs differ in few words", True),
    "DPO alone in TRL": Broken(TRL_DPO, {"loss_type": "sigmoid"}, "loss_type", "the pairs differ in few words", True),
    "DPO before SFT": Broken(
        DPO, {"model_name_or_path": "Qwen/Qwen2.5-3B-Instruct"}, "model_name_or_path", "without SFT", True
    ),
    "a rate that destroys": Broken(
        DPO, {"learning_rate": 2e-4}, "learning_rate", "is high for DPO of an adapter", True
    ),
    "a rate that destroys any model": Broken(DPO, {"learning_rate": 0.5}, "learning_rate", "destroys any model"),
    "an SFT loss in KTO": Broken(KTO, {"pref_ftx": 0.2}, "pref_ftx", "does nothing in KTO", True),
    "the prompt is learned": Broken(
        TRL_SFT, {"completion_only_loss": False}, "completion_only_loss", "trains on the prompt as well"
    ),
    "a rate that does nothing": Broken(LORA, {"learning_rate": 1e-8}, "learning_rate", "is low for SFT", True),
    # what it does and leaves
    "trains nothing": Broken(LORA, {"do_train": GONE}, "do_train", "trains nothing and reports success"),
    "best model of none": Broken(
        LORA, {"load_best_model_at_end": True, "eval_strategy": "no"}, "load_best_model_at_end", "needs evaluations"
    ),
    "a finished run": Broken(LORA, {"output_dir": "saves/qwen2.5-3b/sft"}, "output_dir", "holds a finished model"),
    "an unfinished run": Broken(
        LORA, {"output_dir": "saves/stopped"}, "output_dir", "holds checkpoint-10 of another run"
    ),
    "quantised full tuning": Broken(
        LORA, {"quantization_bit": 4, "finetuning_type": "full"}, "finetuning_type", "lora"
    ),
    "three bits": Broken(LORA, {"quantization_bit": 3}, "quantization_bit", "has 4 and 8 bits, found 3"),
    "no DeepSpeed file": Broken(LORA, {"deepspeed": "ds.json"}, "deepspeed", "no such file"),
    "ZeRO-3 of four bits": Broken("qwen2.5-3b.sft.full-zero3", {"quantization_bit": 4}, "deepspeed", "ZeRO-3 shards"),
    # the device
    "bfloat16 on a CPU": Broken("smollm2-135m.sft.lora", {"bf16": True}, "bf16", "float32", device="cpu"),
    "float16 on a CPU": Broken("smollm2-135m.sft.lora", {"fp16": True}, "fp16", "float32", device="cpu"),
    "TRL's bfloat16 on a CPU": Broken(
        "smollm2-135m.trl.sft", {"bf16": GONE}, "bf16", "TRL takes bfloat16", device="cpu"
    ),
    "no GPU": Broken(LORA, {}, "use_cpu", "the recipe is for a GPU, and cpu is none", device="cpu"),
    "bfloat16 on Turing": Broken(LORA, {}, "bf16", "t4 has no bfloat16", device="t4"),
    "TRL's bfloat16 on Turing": Broken(TRL_SFT, {"bf16": GONE}, "bf16", "t4 has no bfloat16", device="t4"),
    "weights in bfloat16 on Turing": Broken(TRL_SFT, {"dtype": "bfloat16"}, "dtype", "no bfloat16", device="t4"),
    "four bits on a CPU": Broken(
        "smollm2-135m.sft.lora", {"quantization_bit": 4}, "quantization_bit", "needs a GPU", device="cpu"
    ),
    "too large": Broken(LORA, {"finetuning_type": "full"}, "per_device_train_batch_size", "24gb has 24", device="24gb"),
    "float32 on a GPU": Broken(LORA, {"bf16": False}, "bf16", "trains in float32", True, device="24gb"),
    "a CPU recipe on a GPU": Broken("smollm2-135m.sft.lora", {}, "use_cpu", "although there is", True, device="24gb"),
}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recipe_builds.finished_build(tmp_path_factory.mktemp("build"))


@pytest.fixture
def saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory in which every shipped recipe has been run."""
    monkeypatch.chdir(tmp_path)
    for recipe in RECIPES.values():
        place = Path(recipe.writes_to)
        if recipe.stage == "merge" or recipe.settings.get("finetuning_type") == "full":
            put(place / "config.json", {"model_type": FAMILY[recipe.name[:5]]})
        elif recipe.stage != "chain":
            put(place / "adapter_config.json", {"base_model_name_or_path": recipe.student})
        put(place / "adapter_model.safetensors", {})
    (tmp_path / "saves" / "stopped" / "checkpoint-10").mkdir(parents=True)
    return tmp_path


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def broken_stages(broken: Broken, build: Path) -> tuple[Stage, ...]:
    stages = render(RECIPES[broken.recipe], build, Path("run"))
    changed = {**stages[-1].settings, **broken.changes}
    kept = {key: value for key, value in changed.items() if value is not GONE}
    return (*stages[:-1], stages[-1]._replace(settings=kept))


def device(name: str | None) -> Device | None:
    return read_device(name) if name else None


def about(problems: tuple[Problem, ...], key: str) -> list[Problem]:
    return [problem for problem in problems if problem.key == key]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_recipe_is_caught_with_the_right_message(broken: Broken, build: Path, saves: Path) -> None:
    before = check(render(RECIPES[broken.recipe], build, Path("run")), build)
    assert not any(broken.message in str(problem) for problem in before)
    found = about(check(broken_stages(broken, build), build, device(broken.device)), broken.key)
    assert any(broken.message in str(problem) for problem in found), [str(problem) for problem in found]
    assert all(problem.hint and problem.stage for problem in found)
    assert any(problem.warning == broken.warning for problem in found if broken.message in str(problem))


def test_all_problems_are_reported_at_once_errors_first(build: Path, saves: Path) -> None:
    changes = {"template": "qwne", "cutoff_len": 100, "lora_rnak": 3, "learning_rate": 1e-3, "pref_loss": "ipo"}
    found = check(broken_stages(Broken(DPO, changes, "", ""), build), build)
    assert {problem.key for problem in found} == set(changes)
    assert [problem.warning for problem in found] == [False] * 4 + [True]


def expected_warnings(recipe: Recipe) -> set[str]:
    """DPO as published warns on minimal edits, as it should."""
    return {"pref_ftx"} if recipe.name.endswith("dpo.merged") else set()


def own_device(recipe: Recipe) -> str:
    """What the recipe's opening comment says that it fits."""
    if recipe.name.startswith("smollm2"):
        return "cpu"
    return "2080ti" if "11gb" in recipe.name else "2x24gb" if "multi-gpu" in recipe.name else "24gb"


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_a_shipped_recipe_passes_on_the_device_that_it_is_for(recipe: Recipe, build: Path, saves: Path) -> None:
    found = check(render(recipe, build, Path("run")), build, read_device(own_device(recipe)))
    assert [str(problem) for problem in found if problem.key not in expected_warnings(recipe)] == []
    assert {problem.key for problem in found} == expected_warnings(recipe)


def test_the_demos_longest_rows_fit_as_well(build: Path, saves: Path, tmp_path: Path) -> None:
    demo = copy_of(build, tmp_path)
    for form in ("llamafactory", "trl"):
        path = demo / "exports" / form / "export.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        for kind in content["files"].values():
            kind["tokens"] |= {"1408": 1}  # the longest row of `make demo`
        put(path, content)
    for recipe in RECIPES.values():
        found = check(render(recipe, demo, Path("run")), demo, read_device(own_device(recipe)))
        assert [str(problem) for problem in found if not problem.warning] == [], recipe.name


def copy_of(build: Path, folder: Path) -> Path:
    return shutil.copytree(build, folder / "copy")


def change_export(folder: Path, form: str, **changes: Any) -> None:
    path = folder / "exports" / form / "export.json"
    put(path, {**json.loads(path.read_text(encoding="utf-8")), **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt_hashes": {"student.en": "0" * 16}}, "prompt student.en is 0000000000000000 in the export and"),
        ({"build": "f" * 16}, "the export is of build ffffffffffffffff, the folder holds build"),
    ],
)
def test_an_export_of_another_prompt_or_build_is_an_error(
    build: Path, saves: Path, tmp_path: Path, changes: Mapping[str, Any], message: str
) -> None:
    copy = copy_of(build, tmp_path)
    change_export(copy, "llamafactory", **changes)
    found = check(render(RECIPES[LORA], copy, Path("run")), copy)
    assert any(message in problem.message for problem in about(found, "dataset_dir"))


def test_a_prompt_that_this_version_no_longer_writes_is_an_error(build: Path, saves: Path, tmp_path: Path) -> None:
    copy = copy_of(build, tmp_path)
    old = {"student.en": "0" * 16}
    change_export(copy, "trl", prompt_hashes=old)
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    put(copy / "manifest.json", {**manifest, "prompts": manifest["prompts"] | old})
    found = check(render(RECIPES[TRL_SFT], copy, Path("run")), copy)
    assert "was 0000000000000000 when the build was made" in about(found, "dataset_name")[0].message


@pytest.mark.parametrize(("recipe", "form"), [(LORA, "llamafactory"), (TRL_SFT, "trl")])
def test_a_build_without_the_trainers_export_is_an_error(
    build: Path, saves: Path, tmp_path: Path, recipe: str, form: str
) -> None:
    copy = copy_of(build, tmp_path)
    shutil.rmtree(copy / "exports" / form)
    assert any(
        f"no {form} export" in problem.message for problem in check(render(RECIPES[recipe], copy, Path("run")), copy)
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["true", "false", "good"], "row 3 of demo_kto_train has the label 'good'"),
        ([True, True], "no row is undesirable"),
        ([False], "no row is desirable"),
        ([True] + [False] * 9, "1 desirable and 9 undesirable rows weigh 0.11 to 1"),
    ],
)
def test_kto_labels_are_looked_at(build: Path, saves: Path, tmp_path: Path, labels: list[Any], message: str) -> None:
    copy = copy_of(build, tmp_path)
    rows = [json.dumps({"label": {"true": True, "false": False}.get(label, label)}) for label in labels]
    (copy / "exports/llamafactory/demo_kto_train.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (stage,) = render(RECIPES[KTO], build, Path("run"))
    assert any(message in problem.message for problem in check([stage], copy))


def test_kto_without_its_export_says_how_to_get_it(build: Path, saves: Path, tmp_path: Path) -> None:
    copy = copy_of(build, tmp_path)
    info = copy / "exports/llamafactory/dataset_info.json"
    put(info, {name: one for name, one in json.loads(info.read_text()).items() if "_kto_" not in name})
    (problem,) = about(check(render(RECIPES[KTO], copy, Path("run")), copy), "dataset")
    assert "Set 'kto: true'" in problem.hint


def test_a_chains_adapter_is_no_model_for_its_next_stage(build: Path, saves: Path) -> None:
    sft, _, dpo, _ = render(RECIPES[CHAIN], build, Path("run"))
    wrong = dpo._replace(settings={**dpo.settings, "model_name_or_path": str(sft.output)})
    assert "holds an adapter" in about(check([sft, wrong], build), "model_name_or_path")[0].message


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"quantization_bit": 4}, "quantization_bit", "cannot be merged into quantised"),
        ({"export_quantization_bit": 4}, "export_quantization_bit", "cannot be merged into quantised"),
        ({"adapter_name_or_path": GONE}, "adapter_name_or_path", "nothing to merge"),
        ({"export_dir": "Qwen/Qwen2.5-3B-Instruct"}, "export_dir", "would be overwritten"),
    ],
)
def test_merging_is_checked(build: Path, saves: Path, changes: Mapping[str, Any], key: str, message: str) -> None:
    stages = broken_stages(Broken("qwen2.5-3b.merge", changes, key, message), build)
    assert any(message in problem.message for problem in about(check(stages, build), key))


def test_evaluation_needs_models_and_a_test_split(build: Path, saves: Path, tmp_path: Path) -> None:
    copy = copy_of(build, tmp_path)
    for form in ("llamafactory", "trl"):
        content = json.loads((copy / "exports" / form / "export.json").read_text())
        for kind in content["files"].values():
            kind["rows"] = {name: rows for name, rows in kind["rows"].items() if "_test" not in name}
        put(copy / "exports" / form / "export.json", content)
    stages = render(RECIPES[CHAIN], copy, Path("run"))
    found = check([stages[-1]], copy)
    assert {problem.key for problem in found} == {"test", "systems.sft", "systems.dpo"}


def test_a_folder_that_a_run_record_speaks_for_may_hold_checkpoints(build: Path, saves: Path) -> None:
    stages = render(RECIPES[LORA], build, Path("run"))
    put(stages[0].output / "adapter_model.safetensors", {})
    assert about(check(stages, build), "output_dir")
    put(stages[0].output.parent / "run.json", {})
    assert not about(check(stages, build), "output_dir")


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recipe_builds.answering_build(tmp_path_factory.mktemp("answers"))


def test_each_answer_of_a_dialogue_is_learned_once(answering: Path, saves: Path) -> None:
    (stage,) = render(RECIPES[LORA], answering, Path("run"))
    assert stage.settings["mask_history"] is True
    assert about(check([stage], answering), "mask_history") == []
    (stage,) = render(RECIPES[LORA], answering, Path("run"), {"mask_history": False})
    assert "learned again in every row" in about(check([stage], answering), "mask_history")[0].message


def test_tools_need_a_template_that_writes_them(answering: Path, saves: Path) -> None:
    assert about(check(render(RECIPES[LORA], answering, Path("run")), answering), "template") == []
    (problem,) = about(check(render(RECIPES["smollm2-135m.sft.lora"], answering, Path("run")), answering), "template")
    assert "cannot write tools as smollm2 models know them" in problem.message


def test_pairs_of_answers_are_looked_at_as_well(answering: Path, saves: Path) -> None:
    """They differ in more than a few words: DPO needs no SFT loss for them."""
    assert about(check(render(RECIPES["qwen2.5-3b.dpo.merged"], answering, Path("run")), answering), "pref_ftx") == []


def test_missing_packages_are_reported_for_this_machine_only(build: Path, saves: Path) -> None:
    card = read_device("24gb")
    stages = broken_stages(Broken(LORA, {"quantization_bit": 4, "enable_liger_kernel": True}, "", ""), build)
    assert check(stages, build, card) == ()
    here = about(check(stages, build, card._replace(here=True)), "enable_liger_kernel")
    assert "needs the package liger_kernel" in here[0].message


def test_a_folder_without_a_build_is_an_error(build: Path, saves: Path, tmp_path: Path) -> None:
    stages = render(RECIPES[LORA], build, Path("run"))
    with pytest.raises(TrainingError, match="no finished build here"):
        check(stages, tmp_path)


@pytest.mark.parametrize(
    ("text", "memory", "gpus", "bf16"),
    [("2080ti", 11, 1, False), ("4xA100", 80, 4, True), ("24gb", 24, 1, True), ("2x 48GB", 48, 2, True)],
)
def test_devices_are_read_by_name(text: str, memory: float, gpus: int, bf16: bool) -> None:
    found = read_device(text)
    assert (found.memory, found.gpus, found.has_bf16, found.here) == (memory, gpus, bf16, False)


def test_an_unknown_device_is_answered_with_a_guess() -> None:
    with pytest.raises(ConfigError, match=r"no such device, did you mean 4090\?"):
        read_device("409")


odd = st.sampled_from([None, True, -1, 0, 3, 0.5, float("nan"), "", "abc", "1e-5", "a,b", [], ["x"], [1], {}, {"a": 1}])


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_value_of_any_key_breaks_the_check(build: Path, saves: Path, data: st.DataObject) -> None:
    recipe = data.draw(
        st.sampled_from([RECIPES[name] for name in (LORA, ADAPTER, SIMPO, KTO, TRL_DPO, TRL_KTO, CHAIN)])
    )
    known = sorted({*recipe.settings, "deepspeed", "quantization_bit", "eval_strategy", "lora_target", "loss_type"})
    changes = data.draw(st.dictionaries(st.sampled_from(known), odd, min_size=1, max_size=4))
    path = saves / "odd.yaml"
    command = recipe.path.read_text(encoding="utf-8").splitlines()[0]
    path.write_text(f"{command}\n{yaml.safe_dump({**recipe.settings, **changes})}", encoding="utf-8")
    try:
        stages = render(read_recipe(str(path)), build, Path("run"))
    except ConfigError:  # no recipe any more, and said so
        return
    found = check(stages, build, data.draw(st.sampled_from([None, *map(read_device, ("24gb", "cpu", "t4"))])))
    assert all(str(problem) and problem.hint for problem in found)
