"""Checks of a stage against the build's exports: sets, kinds of rows, lengths, labels, prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.config.problems import did_you_mean
from pairwright.core.prompts.student import Student
from pairwright.exports.rows.rendering import BUCKET
from pairwright.training_recipes.checks.problem import CheckedStage, Problem
from pairwright.training_recipes.recipes.build_facts import Export
from pairwright.training_recipes.recipes.kto_labels import balancing_weight, read_labels, weight_keys

_STAGE_ROWS = {"sft": "the accepted answers", "dpo": "the pairs", "kto": "answers with labels"}
_BALANCED = (0.5, 2.0)  # desirable over undesirable rows, weights included; no warning between them


def check_data(case: CheckedStage) -> Iterator[Problem]:
    """Is what the stage trains on there, is it of its kind, and does it fit?"""
    export = case.export
    if export is None:
        key = "dataset_dir" if case.stage.trainer == "llamafactory" else "dataset_name"
        hint = f"Add '- {{use: {case.stage.trainer}}}' to 'exports' of the build file and build again."
        yield case.problem(key, f"the build has no {case.stage.trainer} export", hint)
        return
    yield from check_prompt(case, export)
    if case.stage.trainer == "llamafactory":
        yield from _sets(case, export)
    else:
        yield from _trl_sets(case, export)
    yield from _lengths(case, export)
    if case.stage.kind == "kto":
        yield from _labels(case, export)


def check_prompt(case: CheckedStage, export: Export) -> Iterator[Problem]:
    """Is the prompt in the exported rows the build's, and the one that evaluation and serving will use?"""
    key = "dataset_dir" if case.stage.trainer == "llamafactory" else "dataset_name"
    if export.build != case.facts.build:
        message = f"the export is of build {export.build}, the folder holds build {case.facts.build}"
        yield case.problem(key, message, "Build again: export and manifest belong together.")
    now = Student(kind=export.task, prompt=PromptConfig.model_validate(export.prompt)).prompt_hashes()
    for name, then in export.prompt_hashes.items():
        if case.facts.prompt_hashes.get(name) != then:
            message = f"prompt {name} is {then} in the export and {case.facts.prompt_hashes.get(name)} in the manifest"
            yield case.problem(key, message, "Build again: the student would be served with a prompt it never saw.")
        elif now.get(name) != then:
            message = f"prompt {name} was {then} when the build was made, and is {now.get(name)} now"
            yield case.problem(key, message, "Build again, or use the version of pairwright that made the build.")


def _sets(case: CheckedStage, export: Export) -> Iterator[Problem]:
    for key in ("dataset", "eval_dataset"):
        value = case.get(key)
        for name in (part.strip() for part in str(value).split(",")) if value else ():
            yield from _set(case, export, key, name)
    if not case.get("dataset"):
        yield case.problem("dataset", "is missing", f"Set 'dataset: {case.facts.name}_{case.rows}_train'.")
    if case.get("eval_dataset") and case.get("val_size"):
        yield case.problem("val_size", "cannot be combined with 'eval_dataset'", "Remove 'val_size'.")


def _set(case: CheckedStage, export: Export, key: str, name: str) -> Iterator[Problem]:
    info = export.registered.get(name)
    if info is None:
        alike = [other for other in export.registered if _kind_of(export.registered[other]) == case.rows]
        message = f"{name} is not in dataset_info.json{did_you_mean(name, alike)}"
        yield case.problem(key, message, _more_rows(case, name))
        return
    kind = _kind_of(info)
    if kind != case.rows:
        hint = f"Set '{key}: {case.facts.name}_{case.rows}_{name.rpartition('_')[2]}'."
        message = f"{name} holds {_STAGE_ROWS[kind]}, and {case.stage.kind.upper()} trains on {_STAGE_ROWS[case.rows]}"
        yield case.problem(key, message, hint)
    if not (export.folder / str(info["file_name"])).is_file():
        yield case.problem(key, f"{info['file_name']} is registered and not there", "Build again.")


def _kind_of(info: Mapping[str, Any]) -> str:
    if info.get("ranking"):
        return "dpo"
    return "kto" if "kto_tag" in info.get("columns", {}) else "sft"


def _more_rows(case: CheckedStage, name: str) -> str:
    if case.rows == "kto" and "_kto_" in name:
        return f"Set 'kto: true' in the {case.stage.trainer} export of the build file and build again."
    if case.rows == "dpo" and case.export and not any("_dpo_" in one for one in case.export.rows):
        return "The build has no pairs: its build file needs perturbers, or a weak model; build again."
    return "Name one that is there; a split without rows has no file."


def _trl_sets(case: CheckedStage, export: Export) -> Iterator[Problem]:
    kind = case.get("dataset_config", case.rows)
    if kind != case.rows:
        message = f"'{kind}' holds {_STAGE_ROWS.get(str(kind), 'something else')}"
        hint = f"Set 'dataset_config: {case.rows}': {case.stage.kind.upper()} trains on {_STAGE_ROWS[case.rows]}."
        yield case.problem("dataset_config", message, hint)
    if not (export.folder / "README.md").is_file():
        message = "the export has no README.md that names the files of each set"
        yield case.problem("dataset_name", message, "Build again with this version of pairwright.")
    wanted = {"dataset_train_split": case.get("dataset_train_split", "train")}
    if case.get("eval_strategy", "no") != "no":
        wanted["dataset_test_split"] = case.get("dataset_test_split", "test")
    for key, split in wanted.items():
        name = f"{case.facts.name}_{kind}_{split}"
        if not export.rows.get(name):
            yield case.problem(key, f"the build has no rows in {name}.jsonl", _more_rows(case, name))


def _lengths(case: CheckedStage, export: Export) -> Iterator[Problem]:
    keys = ("cutoff_len",) if case.stage.trainer == "llamafactory" else ("max_length", "max_prompt_length")
    for key in keys:
        limit = case.get(key, _default(case, key))
        if isinstance(limit, int) and (longer := _longer(export, case.rows, limit)):
            yield _cut(case, export, key, limit, longer)
    if case.stage.trainer == "trl" and case.stage.kind in ("simpo", "kto"):
        yield from _prompt_limit(case)


def _default(case: CheckedStage, key: str) -> int | None:
    """What the trainer takes where the recipe says nothing."""
    if key == "cutoff_len":
        return 2048
    if key == "max_length":
        return 1024
    return None if case.stage.kind == "sft" else 512


def _longer(export: Export, rows: str, limit: int) -> int:
    """Rows that are surely longer: those in bars of the histogram that begin at the limit or above."""
    bars = export.tokens.get(rows, {})
    return sum(count for end, count in bars.items() if end - BUCKET >= limit)


def _cut(case: CheckedStage, export: Export, key: str, limit: int, longer: int) -> Problem:
    total = sum(export.tokens[case.rows].values())
    longest = export.longest(case.rows)
    lost = "the end of the prompt, which is the query" if key == "cutoff_len" else "part of the prompt"
    message = f"{longer:,} of {total:,} rows are longer than {limit} tokens: the trainer cuts off {lost}"
    return case.problem(key, message, f"Set '{key}: {longest}' or more; no row has more tokens than that.")


def _prompt_limit(case: CheckedStage) -> Iterator[Problem]:
    limit, whole = case.get("max_prompt_length", 512), case.get("max_length", 1024)
    if limit is None:
        message = "null means 128 tokens in this trainer, not no limit"
        yield case.problem("max_prompt_length", message, "Set it to the longest prompt's tokens.")
    elif isinstance(limit, int) and isinstance(whole, int) and limit >= whole:
        message = f"{limit} must be less than 'max_length' ({whole})"
        yield case.problem("max_prompt_length", message, f"Set 'max_length: {limit + 128}'.")


def _labels(case: CheckedStage, export: Export) -> Iterator[Problem]:
    labels = read_labels(export, f"{case.facts.name}_kto_train")
    good, bad = labels.good, labels.bad
    if labels.odd:
        message = f"row {labels.odd[0]} of {case.facts.name}_kto_train has the label {labels.odd[1]!r}"
        yield case.problem("dataset", message, "Build again: labels are true or false; others are dropped or misread.")
    if not good and not bad:
        return
    if not good or not bad:
        missing = "undesirable" if good else "desirable"
        message = f"no row is {missing}: KTO has nothing to compare"
        yield case.problem("dataset", message, "Build with perturbers, so that there are rejected answers.")
        return
    for_good, for_bad = weight_keys(case.stage.trainer)
    share = good * case.number(for_good, 1.0) / (bad * case.number(for_bad, 1.0) or 1.0)
    if not _BALANCED[0] <= share <= _BALANCED[1]:
        key, value = balancing_weight(labels, case.stage.trainer)
        message = f"{good:,} desirable and {bad:,} undesirable rows weigh {share:.2f} to 1"
        yield case.warning(key, message, f"Set '{key}: {value}' to balance them.")
