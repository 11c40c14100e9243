"""The other forms: TRL, OpenAI, Parquet and plain JSONL; every one reads back to the rows that were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.components import Component
from pairwright.core.errors import ExportError, StorageError
from pairwright.core.exporter import Exporter
from pairwright.core.files.storage import read_rows
from pairwright.core.records import Generation, PreferencePair, SftRow
from pairwright.exports import EXPORTERS
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.openai import OpenAIExporter
from pairwright.exports.forms.parquet import BATCH, ParquetExporter
from pairwright.exports.forms.trl import TrlExporter
from pairwright.exports.rows.rendering import Budget, Tally, rows_of
from pairwright.exports.rows.rewrite_rows import RewriteRows
from pairwright.exports.rows.row_readers import read_training_rows
from pairwright.testing import factories

FORMS: list[Component] = [
    LlamaFactoryExporter(kto=True),
    LlamaFactoryExporter(kto=True, form="sharegpt", file_format="json"),
    TrlExporter(kto=True),
    OpenAIExporter(),
    ParquetExporter(),
]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def export(exporter: Component, folder: Path, **rows: Any) -> dict[str, Path]:
    assert isinstance(exporter, Exporter)
    return {path.name: path for path in exporter.export(factories.build_result(folder, **rows), folder / "exports")}


def test_every_exporter_of_the_catalogue_is_an_exporter_under_its_own_name() -> None:
    assert all(isinstance(cls(), Exporter) and cls.name == name for name, cls in EXPORTERS.items())


def test_trl_rows_are_conversational(tmp_path: Path) -> None:
    files = export(TrlExporter(kto=True), tmp_path, sft=[factories.sft_row()], pairs=[factories.pair()])
    answer = [{"role": "assistant", "content": factories.REWRITE["en"]}]
    worse = [{"role": "assistant", "content": factories.WORSE["en"]}]
    (sft,), (dpo,), kto = (read(files[f"demo_{kind}_train.jsonl"]) for kind in ("sft", "dpo", "kto"))
    assert [message["role"] for message in sft["prompt"]] == ["system", "user"]
    assert sft == {"prompt": sft["prompt"], "completion": answer}
    assert dpo == {"prompt": sft["prompt"], "chosen": answer, "rejected": worse}
    assert [(row["completion"], row["label"]) for row in kto] == [(answer, True), (worse, False)]


def test_trl_sets_are_loaded_by_their_names_split_by_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    # Some network may be absent, and the sets are local: nothing may be looked up.
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    pairs = [factories.pair(), factories.pair(split="validation"), factories.pair(worse="other")]
    export(TrlExporter(), tmp_path, sft=[factories.sft_row()], pairs=pairs)
    found = datasets.load_dataset(str(tmp_path / "exports" / "trl"), "dpo", cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in found.items()} == {"train": 2, "validation": 1}


def test_openai_rows_have_the_documented_keys(tmp_path: Path) -> None:
    files = export(OpenAIExporter(), tmp_path, sft=[factories.sft_row()], pairs=[factories.pair()])
    (sft,), (dpo,) = (read(files[f"demo_{kind}_train.jsonl"]) for kind in ("sft", "dpo"))
    assert [message["role"] for message in sft["messages"]] == ["system", "user", "assistant"]
    assert dpo["input"] == {"messages": sft["messages"][:2], "tools": [], "parallel_tool_calls": True}
    assert dpo["preferred_output"] == sft["messages"][2:]
    assert dpo["non_preferred_output"][0]["content"] == factories.WORSE["en"]


def test_parquet_holds_the_provenance_of_both_sides(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    sampled = Generation(endpoint="e", model="weak", prompt_hash="p", request_hash="r", temperature=0.5, seed=1)
    worse = factories.rejected(evidence="it", parameters={"drop": 2, "hard": True}, generation=sampled)
    files = export(ParquetExporter(), tmp_path, pairs=[factories.pair(worse=worse), factories.pair(split="test")])
    assert sorted(files) == ["demo_dpo_test.parquet", "demo_dpo_train.parquet", "export.json"]
    (row,) = pq.read_table(files["demo_dpo_train.parquet"]).to_pylist()
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert row["rejected"] == [{"role": "assistant", "content": factories.WORSE["en"]}]
    assert row["history"][0] == {"role": "user", "content": "Who wrote The Glass Orchard?"}
    assert (row["defect"], row["evidence"], row["maker"]) == ("entity_deleted", "it", "entity_deletion")
    assert json.loads(row["parameters"]) == {"drop": 2, "hard": True}
    assert (row["rejected_model"], row["rejected_temperature"], row["chosen_model"]) == ("weak", 0.5, None)
    assert (row["source"], row["source_line"], row["licence"]) == ("test", 1, "MIT")
    assert json.loads(row["verdicts"])[0]["judge"] == "unchanged"


def test_parquet_is_written_in_batches_and_the_same_every_time(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    rows = [factories.sft_row(factories.task(f"number {number}?")) for number in range(BATCH + 5)]
    first = export(ParquetExporter(), tmp_path / "one", sft=rows)["demo_sft_train.parquet"]
    second = export(ParquetExporter(), tmp_path / "two", sft=rows)["demo_sft_train.parquet"]
    assert pq.ParquetFile(first).num_row_groups == 2
    assert pq.ParquetFile(first).metadata.num_rows == len(rows)
    assert first.read_bytes() == second.read_bytes()


def test_plain_jsonl_is_the_rows_themselves_by_split(tmp_path: Path) -> None:
    task = factories.task('"split":"test"}\n')
    pairs = [factories.pair(task), factories.pair(split="test"), factories.pair(task, worse="other")]
    files = export(EXPORTERS["jsonl"](), tmp_path, sft=[factories.sft_row()], pairs=pairs)
    assert sorted(files) == ["demo_pairs_test.jsonl", "demo_pairs_train.jsonl", "demo_sft_train.jsonl"]
    assert list(read_rows(files["demo_pairs_train.jsonl"], PreferencePair)) == [pairs[0], pairs[2]]
    assert list(read_rows(files["demo_pairs_test.jsonl"], PreferencePair)) == [pairs[1]]
    assert list(read_rows(files["demo_sft_train.jsonl"], SftRow)) == [factories.sft_row()]


awkward = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["", "谁？😀", 'a"b\\c', "tab\tline\nend\r\n", "\u2028\u2029\x85", "{}", "null"]
)


@settings(max_examples=25, deadline=None)
@given(said=st.lists(awkward, max_size=2), query=awkward, chosen=awkward, rejected=awkward, analysis=st.booleans())
@pytest.mark.parametrize("exporter", FORMS, ids=lambda exporter: type(exporter).__name__)
def test_every_form_reads_back_to_the_rows_that_were_written(
    tmp_path_factory: pytest.TempPathFactory,
    exporter: Component,
    said: list[str],
    query: str,
    chosen: str,
    rejected: str,
    analysis: bool,
) -> None:
    task = factories.task(f"{query}?", [("user", text) for text in said])
    best = factories.candidate(f"{chosen}!", task, analysis=query)
    worse = factories.rejected(f"{rejected}?", analysis=chosen)
    assert isinstance(exporter, Exporter)
    build = factories.build_result(
        tmp_path_factory.mktemp("form"),
        [factories.sft_row(task, best), factories.sft_row()],
        [factories.pair(task, best, worse), factories.pair(split="validation")],
        prompt={"analysis": analysis},
    )
    kept = {
        kind: [row._replace(tokens=0) for row in rows_of(RewriteRows(), build, kind, Budget(2048), Tally())]
        for kind in ("sft", "dpo", "kto")
    }
    for path in exporter.export(build, build.rows.parent / "exports"):
        if path.name in ("dataset_info.json", "export.json", "README.md"):
            continue
        _, kind, split = path.stem.split("_")
        assert list(read_training_rows(path)) == [row for row in kept[kind] if row.split == split]


@pytest.mark.parametrize(
    ("name", "content"), [("a_train.jsonl", '{"text": "x"}\n'), ("a_train.jsonl", "{"), ("a_train.json", "[1]")]
)
def test_a_file_of_another_form_is_a_clear_error(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ExportError, match="a_train"):
        list(read_training_rows(path))


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        list(read_training_rows(tmp_path / "no_train.jsonl"))
