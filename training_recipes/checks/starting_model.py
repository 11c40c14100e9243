"""Checks of what a stage starts from: model, adapter, template, and the modules that LoRA is put on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from pairwright.core.config.problems import did_you_mean
from pairwright.training_recipes.checks.memory import uses_adapter
from pairwright.training_recipes.checks.problem import CheckedStage, Problem
from pairwright.training_recipes.checks.row_traits import have_tools
from pairwright.training_recipes.models.students import (
    adapter_base,
    has_chat_template,
    is_adapter,
    is_local,
    origin_of,
    template_of,
    thinks_or_not,
)
from pairwright.training_recipes.models.trainer_keys import templates, templates_by_model, tool_templates
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.recipe_files import made_by
from pairwright.training_recipes.recipes.rendering import Stage

_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "embed_tokens", "lm_head")
_ALL = {"llamafactory": "all", "trl": "all-linear"}


def check_model(case: CheckedStage) -> Iterator[Problem]:
    """Is there a model to start from, and is it one?"""
    name = str(case.get("model_name_or_path") or "")
    if not name:
        yield case.problem("model_name_or_path", "is missing", "Name the model: a folder, or OWNER/NAME on the Hub.")
        return
    made = {str(stage.output): stage for stage in case.earlier}
    if _makes_adapter(case, made[name]) if name in made else is_adapter(name):
        yield _adapter_as_model(case, name)
    elif name not in made and is_local(name):
        yield from _folder(case, "model_name_or_path", name, "config.json")
    yield from _misspelt(case, name)
    yield from _adapter(case, made.keys())
    yield from _modules(case)


def check_template(case: CheckedStage) -> Iterator[Problem]:
    """Does the prompt get the shape that the model knows?"""
    model = origin_of(str(case.get("model_name_or_path", "")), case.earlier)
    if case.stage.trainer == "trl":
        yield from _chat_template(case, model)
        return
    template = case.get("template")
    fits = template_of(model)
    if template is None:
        hint = f"Set 'template: {_recommended(model)}'." if fits else "Set LlamaFactory's template of this model."
        yield case.problem("template", "is missing: LlamaFactory would guess one from the tokenizer", hint)
    elif template not in templates():
        guess = f"Set 'template: {_recommended(model)}'" if fits else _guess(str(template))
        yield case.problem("template", f"LlamaFactory has no template '{template}'; it fails only in training", guess)
    elif fits:
        yield from _fitting(case, str(template), model)
    if template in templates() and case.stage.kind in ROWS:
        yield from _tools(case, str(template))


def _makes_adapter(case: CheckedStage, stage: Stage) -> bool:
    return stage.kind in ROWS and uses_adapter(case._replace(stage=stage))


def _adapter_as_model(case: CheckedStage, name: str) -> Problem:
    return case.problem(
        "model_name_or_path",
        f"{name} holds an adapter, which is no model",
        "Merge it first ('pairwright recipes list merge'), or name the base model here and the adapter in "
        "'adapter_name_or_path' with 'create_new_adapter: true'.",
    )


def _folder(case: CheckedStage, key: str, name: str, file: str) -> Iterator[Problem]:
    if not Path(name).is_dir():
        where = "--model FOLDER" if key == "model_name_or_path" else f"--set {key}=FOLDER"
        maker = f"{made_by(name)} makes it: train that first" if made_by(name) else "Train what makes it first"
        hint = f"{maker}, or the chain of both; where it lies elsewhere: {where}"
        yield case.problem(key, f"{name}: no such folder", hint)
    elif not (Path(name) / file).is_file():
        yield case.problem(key, f"{name}: there is no {file} in it", "Name the folder that holds the model's files.")


def _misspelt(case: CheckedStage, name: str) -> Iterator[Problem]:
    short = name.rpartition("/")[2].lower()
    known = templates_by_model()
    family = [model for model in known if model.partition("-")[0] == short.partition("-")[0]]
    if not is_local(name) and short not in known and (guess := did_you_mean(short, family)):
        message = f"{name} is none of the models that LlamaFactory knows{guess}"
        yield case.warning("model_name_or_path", message, "Look its name up on the Hub; keep it if it is right.")


def _adapter(case: CheckedStage, made: Collection[str]) -> Iterator[Problem]:
    names = str(case.get("adapter_name_or_path") or "")
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name in made:
            continue
        if is_local(name):
            yield from _folder(case, "adapter_name_or_path", name, "adapter_config.json")
        base = adapter_base(name)
        if base and base != str(case.get("model_name_or_path")) and "," not in names:
            message = f"{name} was trained on {base}, not on {case.get('model_name_or_path')}"
            yield case.problem("adapter_name_or_path", message, f"Set 'model_name_or_path: {base}'.")


def _modules(case: CheckedStage) -> Iterator[Problem]:
    key = "lora_target_modules" if case.stage.trainer == "trl" else "lora_target"
    value = case.get(key)
    named = value if isinstance(value, list) else str(value).split(",") if value else []
    known = (*_MODULES, _ALL[case.stage.trainer])
    for module in (str(name).strip() for name in named):
        if module not in known and template_of(origin_of(str(case.get("model_name_or_path")), case.earlier)):
            hint = f"Write '{_ALL[case.stage.trainer]}' for all linear modules, or names of {', '.join(_MODULES[:7])}."
            yield case.problem(key, f"the model has no module '{module}'{did_you_mean(module, known)}", hint)


def _recommended(model: str) -> str:
    found = template_of(model)
    return "qwen3_nothink" if found == "qwen3" and thinks_or_not(model) else str(found)


def _guess(template: str) -> str:
    guess = did_you_mean(template, templates()).removeprefix(", ")
    return f"{guess[:1].upper()}{guess[1:]}" if guess else "LlamaFactory's README lists the template of each model."


def _fitting(case: CheckedStage, template: str, model: str) -> Iterator[Problem]:
    if template not in {template_of(model), _recommended(model)}:
        message = f"'{template}' is not the template of {model}"
        yield case.problem("template", message, f"Set 'template: {_recommended(model)}'.")
    elif template == "qwen3" and case.get("enable_thinking") is not False:
        message = "trains on an empty <think> block before every answer"
        hint = f"Set '{'template: qwen3_nothink' if thinks_or_not(model) else 'enable_thinking: false'}'."
        yield case.problem("template", message, f"{hint} The answers have no thoughts.")


def _tools(case: CheckedStage, template: str) -> Iterator[Problem]:
    name = f"{case.facts.name}_{case.rows}_train"
    if template not in tool_templates() and case.export and have_tools(case.export, name):
        message = f"LlamaFactory cannot write tools as {template} models know them"
        yield case.problem("template", message, "Set 'prompt.tools: text' in the build file and build again.")


def _chat_template(case: CheckedStage, model: str) -> Iterator[Problem]:
    if not has_chat_template(model) and not case.get("chat_template_path"):
        message = f"the tokenizer of {model} has no chat template, and TRL has none of its own"
        yield case.problem("model_name_or_path", message, "Take an instruct model, or set 'chat_template_path'.")
    if thinks_or_not(model):
        message = f"the chat template of {model} puts an empty <think> block before every answer"
        hint = "Take a model that does not think, such as Qwen/Qwen3-4B-Instruct-2507."
        yield case.warning("model_name_or_path", message, hint)
