"""The data card: true to the rows, valid for the Hub, and safe whatever the dialogues contain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.audit_result import Audit, AuditGroup, Flag, Score
from pairwright.core.bookkeeping import StageCount
from pairwright.core.errors import ExportError
from pairwright.core.files.storage import write_json
from pairwright.core.records import Generation
from pairwright.exports import EXPORTERS
from pairwright.exports.card.data_card import CardExporter
from pairwright.testing import factories


def card(folder: Path, exporter: CardExporter | None = None, forms: tuple[str, ...] = (), **build: Any) -> str:
    result = factories.build_result(folder, **build)
    for form in forms:
        EXPORTERS[form]().export(result, folder / "exports")  # type: ignore[attr-defined]
    (path,) = (exporter or CardExporter()).export(result, folder / "exports")
    return path.read_text(encoding="utf-8")


def metadata(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return loaded


def test_metadata_names_languages_licences_size_and_a_config_per_kind(tmp_path: Path) -> None:
    chinese = factories.task(language="zh", origin=factories.origin(source="shop", licence="CC-BY-4.0"))
    odd = factories.task(origin=factories.origin(source="logs", licence="House rules"))
    rows = [factories.pair(chinese), factories.pair(odd), factories.pair(split="test")]
    text = card(
        tmp_path,
        forms=("parquet", "trl", "llamafactory", "openai", "jsonl"),
        pairs=rows,
        sft=[factories.sft_row(chinese)],
    )
    data = metadata(text)
    assert data["language"] == ["en", "zh"]
    assert data["license"] == ["cc-by-4.0", "mit", "other"]
    assert data["size_categories"] == ["n<1K"]
    configs = {config["config_name"]: config["data_files"] for config in data["configs"]}
    assert list(configs) == ["dpo", "sft"]
    for files in configs.values():
        assert all((tmp_path / "exports" / file["path"]).is_file() for file in files)
    assert configs["dpo"] == [
        {"split": split, "path": f"parquet/demo_dpo_{split}.parquet"} for split in ("test", "train")
    ]
    assert "| shop | CC-BY-4.0 | 1 | 1 |" in text
    assert "| logs | House rules | 0 | 1 |" in text
    DatasetCard(text)


@pytest.mark.parametrize(
    "forms", [("parquet", "trl", "jsonl"), ("trl", "llamafactory"), ("llamafactory",), ("openai",)]
)
def test_every_config_of_the_card_loads(tmp_path: Path, forms: tuple[str, ...]) -> None:
    from datasets import load_dataset

    rows = [factories.pair(), factories.pair(split="test")]
    text = card(tmp_path, forms=forms, pairs=rows, sft=[factories.sft_row()])
    for config in metadata(text)["configs"]:
        loaded = load_dataset(str(tmp_path / "exports"), config["config_name"], cache_dir=str(tmp_path / "cache"))
        assert {split: len(part) for split, part in loaded.items()} == {
            file["split"]: 1 for file in config["data_files"]
        }


def test_card_tells_who_wrote_the_rewrites_of_a_source(tmp_path: Path) -> None:
    note = "The rewrites were written for this project, one by one; they are not crowd-sourced."
    assert note in card(tmp_path, CardExporter(notes={"test": note}), sft=[factories.sft_row()])


def test_a_note_for_a_source_that_has_no_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="notes for tset, but rows come from test"):
        card(tmp_path, CardExporter(notes={"tset": "x"}), sft=[factories.sft_row()])


def test_card_shows_models_prompts_thresholds_and_funnel(tmp_path: Path) -> None:
    sampled = Generation(endpoint="e", model="org/model-7b", prompt_hash="p", request_hash="r", temperature=0.7, seed=1)
    task = factories.task()
    row = factories.sft_row(task, factories.candidate("Who?", task, origin="teacher", generation=sampled))
    count = StageCount(
        stage="judge", unit="candidate", rows_in=5, kept=3, dropped={"leftover": 1}, failed={"timeout": 1}
    )
    text = card(tmp_path, sft=[row], counts=[count], prompt_hashes={"teacher.en": "cafe"}, dedup={"threshold": 0.66})
    assert "| teacher | org/model-7b | 0.7 | 1 |" in text
    assert "| teacher.en | cafe |" in text
    assert '"threshold": 0.66' in text
    assert "| judge | candidate | 5 | 3 | leftover 1 | timeout 1 |" in text
    assert "terms of use" in text


def test_card_explains_training_for_each_trainer_that_has_files(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"sft": [factories.sft_row()], "pairs": [factories.pair()]}
    text = card(tmp_path / "both", forms=("llamafactory", "trl"), **rows)
    assert "dataset: demo_sft_train" in text
    assert "dataset: demo_dpo_train" in text
    assert 'DPOConfig(output_dir="out/trl-dpo", max_length=2048, max_prompt_length=None)' in text
    assert "Add `llamafactory` or `trl`" in card(tmp_path / "none", **rows)


def test_training_recipes_of_the_card_are_yaml(tmp_path: Path) -> None:
    text = card(tmp_path, forms=("llamafactory",), sft=[factories.sft_row()], pairs=[factories.pair()])
    recipes = [yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml\n")[1:]]
    assert [recipe.get("stage") for recipe in recipes] == ["sft", None, "dpo"]
    assert recipes[2]["model_name_or_path"] == recipes[1]["export_dir"]
    assert recipes[2]["pref_ftx"] == 0.2


def test_card_states_what_the_licences_mean_together(tmp_path: Path) -> None:
    tasks = [
        factories.task(f"{number}?", origin=factories.origin(source=f"source{number}", licence=licence))
        for number, licence in enumerate(("MIT", "CC-BY-SA-4.0", "unknown"))
    ]
    allowed = card(tmp_path / "two", sft=[factories.sft_row(task) for task in tasks[:2]])
    assert "- share-alike: pass on" in allowed
    assert "exclude each other" not in allowed
    mixed = card(tmp_path / "three", sft=[factories.sft_row(task) for task in tasks])
    assert "- share-alike source1 (CC-BY-SA-4.0) cannot be combined with unknown source2 (unknown)" in mixed


def test_card_shows_the_shortcut_audit_or_that_there_was_none(tmp_path: Path) -> None:
    assert "Not measured" in card(tmp_path / "none", pairs=[factories.pair()])
    score = Score(auc=0.71, low=0.6, high=0.8)
    flag = Flag(surface="length", verdict="shortcut", note="chosen is longer")
    shared: dict[str, Any] = {"dialogues": 9, "chosen_longer": 0.9}
    groups = (
        AuditGroup(kind="all", name="all", pairs=10, scores={"length": score}, **shared),
        AuditGroup(kind="defect", name="missing_entity", rejected_by="x", pairs=4, scores={}, flags=(flag,), **shared),
        AuditGroup(kind="defect", name="fine", pairs=6, scores={}, **shared),
    )
    audit = Audit(pairs=10, audited=10, folds=5, max_auc=0.6, groups=groups)
    write_json(tmp_path / "some" / "rows" / "audit.json", audit.model_dump(mode="json"))
    text = card(tmp_path / "some", pairs=[factories.pair()])
    assert "| all | 10 | 0.71 (0.60 to 0.80) | too few | too few |  |" in text
    assert "length shortcut: chosen is longer" in text
    assert "| fine" not in text


hostile = (
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "```",
                    "~~~",
                    "---\n",
                    "<script>",
                    "[a](javascript:b)",
                    "|",
                    "# ",
                    "\u202e",
                    "\u2028",
                    "&lt;",
                    "$$",
                    "![",
                ]
            ),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        ),
        min_size=1,
    )
    .map("".join)
    .filter(bool)
)


@settings(max_examples=60, deadline=None)
@given(hostile, hostile, hostile)
def test_no_dialogue_can_leave_its_block(
    tmp_path_factory: pytest.TempPathFactory, said: str, query: str, worse: str
) -> None:
    task = factories.task(query, [("user", said)])
    text = card(tmp_path_factory.mktemp("card"), pairs=[factories.pair(task, "x", worse)])
    examples = text.split("\n## Examples\n")[1].split("\n## Known limits\n")[0]
    lines = examples.strip().split("\n")
    assert len(lines) == 8, "heading line, blank, fence, four texts, fence"
    fence = lines[-1]
    assert lines[2] == f"{fence}text"
    assert set(fence) == {"`"}
    assert not any(fence in line for line in lines[3:-1])
    assert metadata(text)["pretty_name"] == "demo"


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_card_says_how_many_rows_each_split_has_and_what_does_not_cross(tmp_path: Path) -> None:
    elsewhere = factories.task(dialogue="d2")
    text = card(tmp_path, sft=[factories.sft_row()], pairs=[factories.pair(), factories.pair(elsewhere, split="test")])
    assert "| test | 1 | 1 |\n| train | 1 | 2 |" in section(text, "Splits")
    assert "No dialogue and no cluster of duplicates crosses" in section(text, "Splits")
    assert "none of the 0 pairs of dialogues that share a duplicate" in section(text, "Splits")


def test_card_names_the_test_sets_that_were_kept_out_or_that_there_were_none(tmp_path: Path) -> None:
    none = card(tmp_path / "none", sft=[factories.sft_row()])
    assert "compared with no test set" in section(none, "Test sets kept out")
    found = {"name": "canard", "rows": 3430, "queries": 12, "matched": {"query": 4, "rewrite": 9}}
    for action, said in (("drop", "Rows of the set that are flagged as one: 0"), ("flag", "are flagged: 2 rows")):
        folder = tmp_path / action
        write_json(folder / "rows" / "leaks.json", [found])
        copy = factories.task(flags=("contaminated: canard 7 (query, 0.0)",) if action == "flag" else ())
        rows: dict[str, Any] = {"sft": [factories.sft_row(copy)], "pairs": [factories.pair(copy)]}
        text = section(card(folder, decontamination={"action": action}, **rows), "Test sets kept out")
        assert "| canard | 3,430 | 12 | query 4, rewrite 9 |" in text
        assert said in text


def test_card_says_what_was_searched_for_and_how_many_rows_hold_personal_data(tmp_path: Path) -> None:
    assert "No row holds any of them." in card(tmp_path / "none", sft=[factories.sft_row()])
    rows = [factories.sft_row(factories.task(f"write to jane.doe{number}@mail.example")) for number in range(2)]
    assert "email in 2." in card(tmp_path / "some", sft=rows)


def test_card_tells_how_to_get_cite_and_ask(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"sft": [factories.sft_row(), factories.sft_row(split="test")], "pairs": [factories.pair()]}
    text = card(tmp_path / "trl", forms=("trl",), **rows)
    assert "hf download OWNER/NAME --repo-type dataset --local-dir demo" in text
    assert 'pip install "trl==0.24.*" "torch==2.11.*"' in text
    assert 'data_files="trl/demo_sft_test.jsonl"' in text
    assert 'model="out/trl-dpo"' in text
    assert "cite: demo. Build 0123456789abcdef, made with pairwright and distilabel from test." in text
    cited = card(tmp_path / "cited", CardExporter(citation="Somebody, 2030"), **rows)
    assert "cite: Somebody, 2030" in cited
    assert "hf download" not in cited, "there is no file to train on"


def test_settings_are_told_without_the_folders_of_this_machine(tmp_path: Path) -> None:
    said = card(tmp_path, dedup={"earlier": ["/home/Zhangwei/私人/earlier-build"]})
    assert "earlier-build" in said
    assert "Zhangwei" not in said
