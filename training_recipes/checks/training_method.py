"""Checks of how a stage learns: loss, reference model, and settings that do nothing or too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairwright.core.prompts.kinds import KINDS
from pairwright.training_recipes.checks.memory import uses_adapter
from pairwright.training_recipes.checks.problem import CheckedStage, Problem
from pairwright.training_recipes.checks.row_traits import are_minimal_edits
from pairwright.training_recipes.models.students import is_local, origin_of

# LlamaFactory calls TRL's loss without its name.
_BECOMES_SIGMOID = ("hinge", "ipo", "kto_pair")
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "pref_ftx": ("dpo", "simpo", "orpo"),
    "pref_loss": ("dpo", "simpo", "orpo"),
    "pref_bco_weight": ("dpo",),
    "dpo_label_smoothing": ("dpo",),
    "ld_alpha": ("dpo",),
    "kto_chosen_weight": ("kto",),
    "kto_rejected_weight": ("kto",),
    "pref_beta": ("dpo", "simpo", "orpo", "kto"),
    "ref_model": ("dpo", "kto"),
}
_SFT_ONLY = ("mask_history", "train_on_prompt", "neat_packing", "predict_with_generate")
# Lowest and highest rate that published recipes use, with room on both sides.
_RATES: Mapping[tuple[bool, bool], tuple[float, float]] = {
    (True, True): (1e-5, 1e-3),  # SFT, adapter
    (True, False): (1e-6, 1e-4),
    (False, True): (1e-7, 5e-5),  # preference losses, adapter
    (False, False): (5e-8, 5e-6),
}


def check_method(case: CheckedStage) -> Iterator[Problem]:
    """Does the stage learn what its keys say?"""
    if case.stage.trainer == "llamafactory":
        yield from _llamafactory_loss(case)
        yield from _history(case)
        yield from _no_effect(case)
        yield from _reference(case)
    else:
        yield from _trl_loss(case)
    yield from _start(case)
    yield from _mixed(case)
    yield from _beta(case)
    yield from _rate(case)


def _llamafactory_loss(case: CheckedStage) -> Iterator[Problem]:
    loss = case.get("pref_loss")
    if case.stage.kind == "dpo" and loss in _BECOMES_SIGMOID:
        hint = "Take sigmoid, simpo or orpo; for KTO set 'stage: kto' and use the kto data set."
        yield case.problem("pref_loss", f"'{loss}' runs as sigmoid: LlamaFactory does not pass it on", hint)
    if "simpo_gamma" in case.stage.settings and case.stage.kind != "simpo":
        yield case.problem("simpo_gamma", "does nothing without SimPO", "Set 'pref_loss: simpo', or remove it.")
    if case.stage.kind != "sft":
        for key in _SFT_ONLY:
            if case.get(key):
                yield case.problem(key, f"is for SFT, and this is {case.stage.kind.upper()}", "Remove it.")


def _history(case: CheckedStage) -> Iterator[Problem]:
    """Where each answer of a dialogue has a row of its own, its history is there to be read."""
    masked = case.export is not None and KINDS[case.export.task].mask_history
    if case.stage.kind == "sft" and masked and not case.get("mask_history"):
        message = "without it the answers in the history are learned again in every row that follows them"
        yield case.problem("mask_history", message, "Set 'mask_history: true'.")


def _no_effect(case: CheckedStage) -> Iterator[Problem]:
    for key, kinds in _ONLY_FOR.items():
        if key in case.stage.settings and case.stage.kind not in kinds:
            yield case.warning(key, f"does nothing in {case.stage.kind.upper()}", "Remove it.")
    if case.get("create_new_adapter") and not case.get("adapter_name_or_path"):
        yield case.warning("create_new_adapter", "does nothing without 'adapter_name_or_path'", "Remove it.")


def _reference(case: CheckedStage) -> Iterator[Problem]:
    if case.stage.kind not in ("dpo", "kto") or not case.get("adapter_name_or_path") or case.get("ref_model"):
        return
    if case.get("quantization_bit"):
        message = "goes on training an adapter of a quantised model: the untrained base model is the reference"
        yield case.problem("adapter_name_or_path", message, "Merge the adapter in half precision and start from that.")
    elif not case.get("create_new_adapter"):
        message = "the adapter goes on being trained, and the base model without it becomes the reference"
        hint = "Set 'create_new_adapter: true', or start from the merged model: then the SFT model is the reference."
        yield case.problem("create_new_adapter", message, hint)


def _trl_loss(case: CheckedStage) -> Iterator[Problem]:
    if case.stage.kind == "simpo" and case.get("cpo_alpha", 1.0) != 0:
        message = f"{case.get('cpo_alpha', 'the default of 1.0')} adds an SFT loss to SimPO"
        yield case.problem("cpo_alpha", message, "Set 'cpo_alpha: 0.0' for SimPO as published.")
    if case.stage.kind == "simpo" and case.get("loss_type") != "simpo":
        message = f"'{case.get('loss_type')}' is no SimPO, and 'simpo_gamma' does nothing"
        yield case.problem("loss_type", message, "Set 'loss_type: simpo'.")
    if case.stage.kind == "kto" and case.number("per_device_train_batch_size", 8) < 2:
        message = "KTO compares each answer with another one of its batch"
        yield case.problem("per_device_train_batch_size", message, "Set it to 2 or more.")
    if case.get("assistant_only_loss"):
        message = "needs a chat template that marks the answers, and the students' do not"
        hint = "Remove it: the rows are prompts and completions, and the loss is on the completion."
        yield case.problem("assistant_only_loss", message, hint)
    if case.get("completion_only_loss") is False:
        message = "trains on the prompt as well, its examples included"
        yield case.problem("completion_only_loss", message, "Remove it, or set it to true.")


def _start(case: CheckedStage) -> Iterator[Problem]:
    """A preference loss that starts from a model that never saw the task."""
    name = str(case.get("model_name_or_path", ""))
    untrained = not is_local(name) and origin_of(name, case.earlier) == name and not case.get("adapter_name_or_path")
    if case.stage.kind in ("dpo", "kto", "simpo") and untrained and name:
        message = f"starts from {name} without SFT: the pairs alone must teach the task"
        yield case.warning("model_name_or_path", message, "Train the SFT recipe first and start from the merged model.")


def _mixed(case: CheckedStage) -> Iterator[Problem]:
    if case.stage.kind != "dpo" or _mixes(case.stage.settings) or case.export is None:
        return
    if not are_minimal_edits(case.export, f"{case.facts.name}_dpo_train"):
        return
    key, hint = ("pref_ftx", "Set 'pref_ftx: 0.2'.")
    if case.stage.trainer == "trl":
        key, hint = "loss_type", "Set 'loss_type: [sigmoid, sft]' and 'loss_weights: [1.0, 0.2]'."
    message = "the pairs differ in few words: without some SFT loss the chosen answers become less likely too"
    yield case.warning(key, message, f"{hint} Watch logps/chosen: it must not fall.")


def _mixes(settings: Mapping[str, Any]) -> bool:
    losses = settings.get("loss_type")
    return bool(settings.get("pref_ftx") or settings.get("rpo_alpha")) or (isinstance(losses, list) and "sft" in losses)


def _beta(case: CheckedStage) -> Iterator[Problem]:
    key = "beta" if case.stage.trainer == "trl" else "pref_beta"
    value = case.get(key, 0.1)
    if not isinstance(value, int | float):
        return
    if case.stage.kind == "simpo" and value < 1:
        message = f"{value} is far below what SimPO uses"
        yield case.warning(key, message, f"Set '{key}: 2.0' with 'simpo_gamma: 1.0' (Meng et al., 2024).")
    elif case.stage.kind in ("dpo", "kto") and not 0.01 <= value <= 1:
        yield case.warning(key, f"{value} is outside 0.01 to 1", f"Set '{key}: 0.1'.")


def _rate(case: CheckedStage) -> Iterator[Problem]:
    value = case.get("learning_rate")
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        return
    low, high = _RATES[case.stage.kind == "sft", uses_adapter(case)]
    learns = f"{case.stage.kind.upper()} of {'an adapter' if uses_adapter(case) else 'all weights'}"
    if value > 0.01:
        yield case.problem("learning_rate", f"{value} destroys any model", f"Take one from {low} to {high}.")
    elif value > high:
        harm = ": DPO at 2e-4 took reward accuracy to 1.0 and exact match to 0" if case.stage.kind != "sft" else ""
        yield case.warning("learning_rate", f"{value} is high for {learns}{harm}", f"Take one from {low} to {high}.")
    elif value < low:
        yield case.warning("learning_rate", f"{value} is low for {learns}", f"Take one from {low} to {high}.")
