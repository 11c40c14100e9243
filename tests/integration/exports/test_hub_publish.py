"""Publishing with the real Hub client over real HTTP, to a Hub on loopback, and back with ``datasets.load_dataset``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub_server import TOKEN, Hub, running_hub

from pairwright.core.errors import ConfigError, PublishError
from pairwright.core.exporter import Exporter
from pairwright.core.files.owned_folder import Mark, write_mark
from pairwright.core.files.storage import manifest_of, write_json
from pairwright.core.records import Split
from pairwright.exports import EXPORTERS
from pairwright.exports.card.data_card import CardExporter
from pairwright.exports.publishing.hub import listing, publish
from pairwright.testing import factories

REPO = "someone/rewrites"
FORMS = ("llamafactory", "parquet", "jsonl", "card")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with running_hub() as running:
        yield running


def build(folder: Path, rows: int = 40, forms: tuple[str, ...] = FORMS, licence: str = "MIT") -> Path:
    """A finished build in ``folder``, as the last stage leaves it."""
    tasks = [factories.task(f"谁是第{number}个？😀\n") for number in range(rows)]
    splits: tuple[Split, ...] = ("train", "train", "test")
    pairs = [factories.pair(task, f"x{task.id}", split=splits[at % 3]) for at, task in enumerate(tasks)]
    sft = [factories.sft_row(task, f"x{task.id}", splits[at % 3]) for at, task in enumerate(tasks)]
    result = factories.build_result(folder, sft, pairs)
    for form in forms:
        exporter = EXPORTERS[form]()
        assert isinstance(exporter, Exporter)
        exporter.export(result, folder / "exports")
    sources = [
        {"use": "files", "source": "a", "licence": licence},
        {"use": "files", "source": "b", "licence": "CC-BY-SA-4.0"},
    ]
    endpoint = {"base_url": "https://me:secret@models.example/v1?key=secret", "api_key_env": "KEY"}
    config = {"name": "demo", "output": str(folder), "sources": sources, "endpoints": {"teacher": endpoint}}
    (folder / "build.yaml").write_text(yaml.safe_dump(config))
    (folder / "report.md").write_text("# Report\n")
    (folder / "ledger.sqlite").write_text("paid for")
    renewed(folder)
    return folder


def put(hub: Hub, folder: Path, **options: Any) -> Any:
    return publish(folder, REPO, endpoint=hub.url, wait=lambda seconds: None, **options)


def test_a_published_build_is_complete_and_private_and_holds_no_secret(hub: Hub, tmp_path: Path) -> None:
    folder = build(tmp_path)
    done = put(hub, folder)
    assert hub.repos == {REPO: True}
    assert hub.messages == ["pairwright build cafe0123\n"]
    there = hub.files()
    for path in (folder / "exports").rglob("*.*"):
        assert there[path.relative_to(folder / "exports").as_posix()] == path.read_bytes()
    assert {"README.md", "build.yaml", "report.md", "manifest.json"} < set(there)
    assert not any("ledger" in path or path.startswith("rows") for path in there)
    assert not any(b"secret" in content or TOKEN.encode() in content for content in there.values())
    assert b"models.example/v1" in there["build.yaml"]
    assert done.commit == hub.refs["main"]
    assert done.url == f"{hub.url}/datasets/{REPO}"
    assert done.loading(REPO).endswith(f'load_dataset("{REPO}", "dpo")')


def test_every_config_and_split_reads_back_equal_row_by_row(hub: Hub, tmp_path: Path) -> None:
    folder = build(tmp_path / "build")
    put(hub, folder)
    code = (
        "import json, sys, datasets\n"
        "from datasets import load_dataset\n"
        f"print(json.dumps({{name: {{split: rows.to_list() for split, rows in load_dataset('{REPO}', name).items()}} for name in ('dpo', 'sft')}}))"
    )
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stderr[-3000:]
    loaded = json.loads(run.stdout)

    import pyarrow.parquet as pq

    for kind in ("dpo", "sft"):
        assert sorted(loaded[kind]) == ["test", "train"]
        for split, rows in loaded[kind].items():
            assert rows == pq.read_table(folder / "exports" / "parquet" / f"demo_{kind}_{split}.parquet").to_pylist()


@pytest.mark.parametrize("content", ["[]", "null", "{}", '"x"', "[" * 5000, "{", '{"files": [], "build": "a"}'])
def test_a_damaged_manifest_is_an_error(tmp_path: Path, content: str) -> None:
    folder = build(tmp_path, rows=3)
    (folder / "manifest.json").write_text(content)
    with pytest.raises(PublishError, match=r"manifest\.json: damaged"):
        publish(folder, REPO, dry_run=True)


def test_an_unknown_kind_of_personal_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no kind 'emial'; there are: email, mobile_number"):
        publish(build(tmp_path, rows=3), REPO, allow_personal_data=["emial"], dry_run=True)


def test_publishing_again_sends_no_data_and_removes_what_is_no_longer_exported(hub: Hub, tmp_path: Path) -> None:
    put(hub, build(tmp_path / "one"))
    hub.uploads.clear()
    put(hub, build(tmp_path / "two", forms=("parquet", "card")))
    assert not any(path.startswith("llamafactory/") for path in hub.files())
    assert any(path.startswith("parquet/") for path in hub.files())
    parquet = {path for path in hub.files() if path.startswith("parquet/")}
    assert len(hub.uploads) <= len(hub.files()) - len(parquet), "unchanged tables are not sent twice"


def test_a_dry_run_lists_what_would_go_and_sends_nothing(hub: Hub, tmp_path: Path) -> None:
    planned = put(hub, build(tmp_path), dry_run=True)
    assert hub.requests == []
    assert planned.commit == ""
    lines = list(listing(planned))
    assert any(line.endswith("  parquet/demo_dpo_train.parquet") for line in lines)
    assert lines[-1].endswith(f"bytes in {len(planned.files)} files")


def test_revision_and_tag_are_made(hub: Hub, tmp_path: Path) -> None:
    done = put(hub, build(tmp_path), revision="wip", tag="v1")
    assert hub.refs["wip"] == hub.refs["v1"] == done.commit
    assert list(hub.files("main")) == [".gitattributes"]
    assert done.loading(REPO).endswith(', revision="wip")')


STEPS = [("POST", "/create"), ("POST", "/preupload/"), ("PUT", "/lfs/"), ("POST", "/commit/")]
# For a repository to create, 409 means that it exists.
FAULTS = [
    (*step, what) for step in STEPS for what in (409, 429, 500, 503, "break") if (*step, what) != (*STEPS[0], 409)
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_passing_faults_are_ridden_out(hub: Hub, tmp_path: Path, fault: tuple[str, str, int | str]) -> None:
    hub.faults = [fault]
    put(hub, build(tmp_path))
    assert hub.faults == []
    assert len(hub.messages) == 1
    assert "parquet/demo_dpo_train.parquet" in hub.files()


@pytest.mark.parametrize(("status", "hint"), [(401, "hf auth login"), (403, "write permission")])
@pytest.mark.parametrize("step", [("POST", "/commit/"), ("POST", "/create")])
def test_refusals_are_clear_errors_and_leave_no_revision(
    hub: Hub, tmp_path: Path, step: tuple[str, str], status: int, hint: str
) -> None:
    hub.faults = [(*step, status)]
    with pytest.raises(PublishError, match=hint):
        put(hub, build(tmp_path))
    assert hub.messages == []


def test_after_a_lasting_fault_the_same_command_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    folder = build(tmp_path)
    hub.faults = [("POST", "/commit/", 500)] * 20
    with pytest.raises(PublishError, match=r"answered 500[^\n]*\nRun the same command again"):
        put(hub, folder)
    assert hub.messages == []
    sent = list(hub.uploads)
    assert sent
    hub.faults.clear()
    put(hub, folder)
    assert hub.uploads == sent, "no file is sent twice"
    assert "parquet/demo_dpo_train.parquet" in hub.files()


def test_a_hub_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="cannot be reached"):
        publish(build(tmp_path), REPO, endpoint="http://127.0.0.1:9", wait=lambda seconds: None)


def test_a_missing_token_is_a_clear_error(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "wrong")
    with pytest.raises(PublishError, match="hf auth login"):
        put(hub, build(tmp_path))


def test_an_unfinished_build_is_not_published(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="no finished build here"):
        put(hub, tmp_path)


def test_files_that_changed_since_the_build_are_not_published(hub: Hub, tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / "exports" / "llamafactory" / "demo_sft_train.jsonl").write_text("{}\n")
    with pytest.raises(PublishError, match=r"demo_sft_train.jsonl: missing or changed"):
        put(hub, folder)
    assert hub.requests == []


@pytest.mark.parametrize("name", ["report.md", "build.yaml", "manifest.json", "rows/pairs.jsonl"])
def test_whatever_is_published_or_looked_at_must_be_as_the_build_wrote_it(hub: Hub, tmp_path: Path, name: str) -> None:
    folder = build(tmp_path)
    with (folder / name).open("a") as file:
        file.write("\n")
    with pytest.raises(PublishError, match=rf"{name}: missing or changed since the build") as caught:
        put(hub, folder)
    assert "--replace" in caught.value.hint
    assert hub.requests == []


def test_a_build_whose_files_nobody_wrote_down_is_built_again(hub: Hub, tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / "build.files.json").unlink(missing_ok=True)
    with pytest.raises(PublishError, match="does not say what the build wrote"):
        put(hub, folder)
    assert hub.requests == []


def test_a_build_without_a_card_is_not_published(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="no data card"):
        put(hub, build(tmp_path, forms=("jsonl",)))


def test_licences_that_exclude_each_other_are_named_unless_allowed(hub: Hub, tmp_path: Path) -> None:
    folder = build(tmp_path, licence="unknown")
    with pytest.raises(PublishError, match=r"b \(CC-BY-SA-4.0\) cannot be combined with unknown a \(unknown\)"):
        put(hub, folder)
    assert hub.requests == []
    put(hub, folder, allow_licences=True)
    assert "Allowed in spite of: share-alike b" in hub.messages[0]


@pytest.mark.parametrize(
    ("query", "flags", "kind", "hint"),
    [
        ("write to jane.doe@mail.example please", (), "email", "jan…le"),
        ("打 13812345678 问问", (), "mobile_number", "138…78"),
        ("is it late?", ("contaminated: canard 7 (text, 0.000 edits per character)",), "contaminated", "canard 7"),
    ],
)
def test_rows_with_personal_data_or_a_flag_are_not_published(
    hub: Hub, tmp_path: Path, query: str, flags: tuple[str, ...], kind: str, hint: str
) -> None:
    folder = build(tmp_path)
    task = factories.task(query).model_copy(update={"flags": flags})
    lines = (folder / "rows/pairs.jsonl").read_text(encoding="utf-8") + factories.pair(task).model_dump_json() + "\n"
    (folder / "rows/pairs.jsonl").write_text(lines, encoding="utf-8")
    renewed(folder)
    with pytest.raises(PublishError) as refused:
        publish(folder, REPO, dry_run=True)
    field = "" if flags else "task.query "
    assert f"{kind} in 1, first rows/pairs.jsonl:41 {field}({hint}" in str(refused.value)
    assert query not in str(refused.value)
    if kind == "contaminated":
        return
    publish(folder, REPO, endpoint=hub.url, allow_personal_data=[kind])
    assert f"{kind} in 1 rows" in hub.messages[-1]


@pytest.mark.parametrize("title", ["all of it ---", "---", "a\n---\nconfigs: []\n---\nb", "规则：---\r\n", "a: [b"])
def test_a_title_cannot_end_the_head_of_the_card(tmp_path: Path, title: str) -> None:
    folder = build(tmp_path, forms=("parquet",))
    CardExporter(title=title).export(factories.build_result(folder), folder / "exports")
    renewed(folder)
    assert publish(folder, REPO, dry_run=True).configs == ("dpo", "sft")


@pytest.mark.parametrize("repo", ["rewrites", "a/b/c", "me/..", "me/re writes"])
def test_a_dry_run_refuses_what_is_no_name_of_a_data_set(tmp_path: Path, repo: str) -> None:
    with pytest.raises(PublishError, match="is no name of a data set"):
        publish(build(tmp_path, rows=3), repo, dry_run=True)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"revision": ""}, "--revision: '' is no name that git allows"),
        ({"revision": "my branch"}, "--revision: 'my branch' is no"),
        ({"revision": "-x", "tag": "v1..2"}, "--revision: '-x' is no.*\n--tag: 'v1..2' is no"),
        *(
            ({"tag": tag}, "--tag: .* is no name")
            for tag in ["", "v1.lock", "a//b", "a/.b", "v:1", "v1.", "@", "a\ud800"]
        ),
        ({"endpoint": "hub.example"}, "--endpoint: no address of a Hub: http:// or https:// and its name"),
        ({"endpoint": "https://me:hf_4fJ9@hub.example"}, "--endpoint: no address of a Hub"),
        ({"endpoint": "https://hub.example:99999"}, "--endpoint: no address of a Hub"),
    ],
)
def test_a_dry_run_refuses_a_place_that_the_hub_cannot_have(tmp_path: Path, place: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        publish(build(tmp_path, rows=3), REPO, dry_run=True, **place)
    assert "4fJ9" not in str(caught.value)


@pytest.mark.parametrize("token", ["hf_4fJ9密", "hf_4fJ9 x", "hf_4fJ9\x01x", b"\xff4fJ9"])
def test_a_token_that_is_none_is_told_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | bytes
) -> None:
    if isinstance(token, str):
        monkeypatch.setenv("HF_TOKEN", token)
    else:
        monkeypatch.delenv("HF_TOKEN", raising=False)
        (tmp_path / "token").write_bytes(token)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(ConfigError, match="the token .* (holds|is not text).*; it is not shown") as caught:
        publish(build(tmp_path, rows=3), REPO, dry_run=True)
    assert "4fJ9" not in str(caught.value)


@pytest.mark.parametrize("place", ["report.md", "build.yaml", "exports/README.md"])
def test_pages_are_searched_as_rows_are(hub: Hub, tmp_path: Path, place: str) -> None:
    folder = build(tmp_path, rows=3)
    with (folder / place).open("a", encoding="utf-8") as file:
        file.write("\n# 请联系 13812345678\n" if place != "build.yaml" else "citation: 13812345678\n")
    renewed(folder)
    for dry_run in (True, False):
        with pytest.raises(PublishError, match=r"mobile_number in 1, first [a-zA-Z./]*:\d+ \(138…78\)"):
            put(hub, folder, dry_run=dry_run)
    assert hub.requests == []


def renewed(folder: Path) -> None:
    """Let the build have written its files as they are now."""
    files = [path for path in (folder / "exports").rglob("*") if path.is_file()]
    files += [path for path in (folder / "rows").iterdir()]
    write_json(folder / "manifest.json", {"build": "cafe0123", "files": manifest_of(folder, files)})
    made = manifest_of(folder, [*files, *(folder / name for name in ("build.yaml", "report.md", "manifest.json"))])
    write_mark(folder, Mark(kind="build", name="demo", files={name: (digest,) for name, digest in made.items()}))
