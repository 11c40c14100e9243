"""Nothing that a build did not make is removed or overwritten, whatever its output folder is."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from building import build_file, rows, run, write_rows
from pairwright import Build
from pairwright.core.errors import StorageError
from pairwright.core.files.storage import lock_folder
from pairwright.core.llm.ledger import Ledger

SMALL: dict[str, Any] = {
    "exports": [{"use": "jsonl"}],
    "perturbers": [{"use": "entity_deletion"}],
    "split": {"validation": 0, "test": 0},
}


def small(place: Path, **keys: Any) -> Path:
    """A build file over a few rows in ``place``; its output is ``place``/build unless ``keys`` say otherwise."""
    if not (place / "rows.jsonl").exists():
        write_rows(place / "rows.jsonl", [*rows("zh_gold.jsonl", 6), *rows("cast19.en.jsonl", 6)])
    return build_file(place, **{**SMALL, **keys})


def make(file: Path, **options: Any) -> Path:
    build = Build.from_file(file)
    build.run(progress=False, **options)
    return build.folder


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file but lock, ledger and mark, which tell of runs and not of data."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(("build.lock", "ledger.sqlite", "build.files.json"))
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a build file and its finished build in ``build``."""
    place = tmp_path_factory.mktemp("finished")
    make(small(place))
    return place


@pytest.fixture
def built(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, with a build file that builds there from the same rows."""
    shutil.copytree(finished / "build", tmp_path / "build")
    sources = [{"use": "files", "source": "rows", "path": str(finished / "rows.jsonl"), "licence": "MIT"}]
    build_file(tmp_path, sources=sources, **SMALL)
    return tmp_path


def untouched(file: Path, match: str, **options: Any) -> StorageError:
    """Everything that begins with the build is refused, and changes nothing in the folder."""
    build = Build.from_file(file)
    before = everything(build.folder)
    with pytest.raises(StorageError, match=match) as caught:
        build.run(progress=False, **options)
    for look in (build.check, build.plan):
        with pytest.raises(StorageError, match=match):
            look()
    assert everything(build.folder) == before
    return caught.value


def everything(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path): os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def test_a_build_in_a_folder_that_another_one_empties_is_refused(built: Path) -> None:
    (built / "link").symlink_to(built / "build/exports")
    for name in ("build/unfinished", "build/rows", "build/exports/mine/..", "build/exports/a/b", "link/mine"):
        file = build_file(built, output=str(built / name), **SMALL)
        untouched(file, f"belongs to the build in {built / 'build'}, which removes")
    # As versions did that allowed it.
    file = build_file(built, output=str(built / "build"), **SMALL)
    for inner in ("unfinished", "unfinished/generation", "unfinished/exports/mine"):
        shutil.copytree(built / "build", built / "inner")
        (built / "build" / inner).parent.mkdir(exist_ok=True, parents=True)
        shutil.move(built / "inner", built / "build" / inner)
        for replace in (False, True):
            untouched(file, f"{inner}: a build of its own", replace=replace)
        shutil.rmtree(built / "build/unfinished")


def test_the_working_directory_of_a_person_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    inside, outside = small(home, output="."), small(tmp_path, output=".")
    for name in ("unfinished/draft.txt", "rows/mine.jsonl", "exports/paper.md", "report.md", "笔记.txt"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("我的", encoding="utf-8")
    before = everything(home)
    refused = "no folder of a build; in it lie build.yaml, exports, report.md, rows, rows.jsonl and 2 more"
    for file, message in ((inside, "would replace its own build file"), (outside, refused)):
        done = run("build", file, cwd=home)
        assert done.returncode == 1
        assert message in done.stderr
        assert "Give another output folder" in done.stderr
        assert everything(home) == before


def test_a_folder_with_one_foreign_file_is_refused_and_the_file_named(tmp_path: Path) -> None:
    file = small(tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "manifest.json").write_text('{"name": "a web app"}')
    untouched(file, r"in it lie manifest\.json")


def test_what_other_commands_put_there_before_the_first_build_stays(tmp_path: Path) -> None:
    folder = tmp_path / "build"
    file = small(tmp_path, ledger=str(folder / "answers.db"))
    (folder / "calibration").mkdir(parents=True)
    (folder / "calibration" / "calibration.json").write_text("{}")
    (folder / "first look").mkdir()
    (folder / "first look" / "evaluation.json").write_text("{}")
    (folder / ".gitkeep").touch()
    with Ledger(folder / "answers.db"), Ledger(folder / "ledger.sqlite"):
        pass
    make(file)
    assert (folder / "first look" / "evaluation.json").read_text() == "{}"
    assert (folder / "calibration" / "calibration.json").read_text() == "{}"


@pytest.mark.parametrize("old", ["finished", "killed", "killed at once"])
def test_folders_of_versions_without_a_mark_are_built_in_again(built: Path, old: str) -> None:
    folder = built / "build"
    expected = files_of(folder)
    (folder / "build.files.json").unlink(missing_ok=True)
    if old != "finished":
        for name in ("rows", "exports"):
            shutil.rmtree(folder / name)
        for name in ("manifest.json", "build.yaml", "report.md"):
            (folder / name).unlink()
        (folder / "unfinished").mkdir()
        if old == "killed":
            for name in ("dropped.jsonl", "failed.jsonl", "tasks.jsonl.partial"):
                (folder / "unfinished" / name).write_text("{}\n")
    make(built / "build.yaml")
    found = files_of(folder)
    assert found.keys() == expected.keys()
    assert found["rows/pairs.jsonl"] == expected["rows/pairs.jsonl"]
    assert "name" in json.loads((folder / "build.files.json").read_text())


def test_files_that_a_person_added_stay_and_old_exports_go(built: Path) -> None:
    folder = built / "build"
    added = ("exports/README.md", "exports/jsonl/mine.jsonl", "rows/注.txt", "unfinished/draft.txt", "notes.md")
    (folder / "unfinished").mkdir()
    for name in added:
        (folder / name).write_text("我的", encoding="utf-8")
    sources = [{"use": "files", "source": "rows", "path": str(built / "build.rows.jsonl")}]
    write_rows(built / "build.rows.jsonl", rows("cast19.en.jsonl", 6))
    done = Build.from_file(build_file(built, **{**SMALL, "sources": sources, "exports": [{"use": "openai"}]})).run(
        progress=False
    )
    assert all((folder / name).read_text(encoding="utf-8") == "我的" for name in added)
    assert done.files
    assert all(name.startswith("exports/openai/") for name in done.files)
    assert os.listdir(folder / "exports" / "jsonl") == ["mine.jsonl"]
    assert os.listdir(folder / "unfinished") == ["draft.txt"]


def test_an_edited_export_is_refused_at_the_start_and_replaced_on_demand(built: Path) -> None:
    edited = next((built / "build" / "exports").rglob("*pairs*.jsonl"))
    before = edited.read_bytes()
    edited.write_text("better\n")
    error = untouched(built / "build.yaml", f"exports/jsonl/{edited.name}: changed since the build")
    assert "--replace" in error.hint
    make(built / "build.yaml", replace=True)
    assert edited.read_bytes() == before


def test_a_file_in_the_place_of_a_new_one_stops_the_build_and_the_old_build_stays(built: Path) -> None:
    mine = built / "build" / "exports" / "openai"
    mine.write_text("my own")
    before = files_of(built / "build")
    file = build_file(built, **{**SMALL, "exports": [{"use": "openai"}], "sources": sources_of(built)})
    with pytest.raises(StorageError, match="openai"):
        make(file)
    found = files_of(built / "build")
    assert {name: found[name] for name in before} == before


def sources_of(built: Path) -> Any:
    return Build.from_file(built / "build.yaml").config.model_dump(mode="json", exclude_defaults=True)["sources"]


@pytest.mark.parametrize("way", ["the file", "a link to it", "another name of it", "a link to the folder"])
def test_a_build_file_in_its_own_output_is_refused(built: Path, way: str) -> None:
    file = built / "build" / "build.yaml"
    file.write_bytes((built / "build.yaml").read_bytes())
    if way == "a link to it":
        (built / "linked.yaml").symlink_to(file)
        file = built / "linked.yaml"
    elif way == "another name of it":
        (built / "other.yaml").hardlink_to(file)
        file = built / "other.yaml"
    elif way == "a link to the folder":
        (built / "link").symlink_to(built / "build")
        file = built / "link" / "build.yaml"
    error = untouched(file, "would replace its own build file", replace=True)
    assert "copy of the file" in error.hint


def test_inputs_and_ledger_must_not_lie_among_what_is_replaced(built: Path) -> None:
    folder = built / "build"
    inside = folder / "rows" / "tasks.jsonl"
    (built / "link.jsonl").symlink_to(inside)
    for keys in (
        {"sources": [{"use": "files", "source": "a", "path": str(inside)}]},
        {"sources": [{"use": "files", "source": "a", "path": f"{folder}/**/*.jsonl"}]},
        {"evaluations": [{"use": "files", "source": "a", "path": str(built / "link.jsonl")}]},
        {"examples": {"path": str(inside)}},
        {"ledger": str(folder / "exports" / "answers.sqlite")},
        {"ledger": str(folder / "report.md")},
        {"dedup": {"earlier": [str(folder)]}},
    ):
        untouched(build_file(built, **{**SMALL, "sources": sources_of(built), **keys}), "puts its own files")
        build_file(built, **{**SMALL, "sources": sources_of(built)} if "sources" not in keys else {**SMALL})


def test_another_build_gives_way_only_when_told_to(built: Path) -> None:
    file = build_file(built, **{**SMALL, "name": "other", "sources": sources_of(built)})
    error = untouched(file, "holds the build 'small', and this one is 'other'")
    assert "--replace" in error.hint
    done = run("build", file, "--quiet", "--replace")
    assert done.returncode == 0, done.stderr
    assert json.loads((built / "build" / "manifest.json").read_text())["name"] == "other"


@pytest.mark.parametrize("name", ["exports", "rows", "unfinished", "report.md", "manifest.json", "build.lock"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_in_the_place_of_a_part_is_refused_at_the_start(built: Path, name: str, dangling: bool) -> None:
    part, elsewhere = built / "build" / name, built / "elsewhere"
    if not part.exists():
        part.mkdir()
    part.rename(elsewhere)
    part.symlink_to(built / "nowhere" if dangling else elsewhere)
    before = everything(built)
    untouched(built / "build.yaml", f"{name}: a link")
    assert everything(built) == before


def test_an_output_that_is_a_link_works_and_its_lock_holds(built: Path) -> None:
    (built / "link").symlink_to(built / "build")
    file = build_file(built, **{**SMALL, "sources": sources_of(built), "output": str(built / "link")})
    make(file)
    with lock_folder(built / "build"), pytest.raises(StorageError, match="another build is running"):
        make(file)
    (built / "link").unlink()
    (built / "link").symlink_to(built / "nowhere")
    with pytest.raises(StorageError, match="a link to nowhere"):
        make(file)


def _killed(file: str, at: int, report: Any) -> None:
    """Build, and die at the ``at``-th change of the folder since the marks of old and new files were written."""
    seen = [0]
    output = str(Build.from_file(file).folder)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("os.rename", "os.remove", "os.rmdir") or output not in str(arguments):
            return
        if seen[0] or (event == "os.remove" and str(arguments[0]).endswith("manifest.json")):
            seen[0] += 1
            report.value = seen[0]
            if seen[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    Build.from_file(file).run(progress=False)


def _in_a_fork(target: Callable[..., None], *arguments: Any) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    process.join(120)
    return process.exitcode


def test_a_build_killed_while_it_is_moved_into_place_leaves_the_old_one_none_or_the_new_one(built: Path) -> None:
    keys = {**SMALL, "exports": [{"use": "openai"}], "sources": sources_of(built)}
    (built / "build" / "exports" / "README.md").write_text("my own")
    old = files_of(built / "build")
    shutil.copytree(built / "build", built / "before")
    file = build_file(built, **keys)
    count = multiprocessing.get_context("fork").Value("i", 0)
    assert _in_a_fork(_killed, str(file), 0, count) == 0
    new = files_of(built / "build")
    steps = count.value
    assert steps > 10
    assert new["exports/README.md"] == b"my own"
    assert old.keys() != new.keys()
    for at in (1, 2, 4, steps // 2, steps - 4, steps - 2, steps - 1, steps):
        shutil.rmtree(built / "build")
        shutil.copytree(built / "before", built / "build")
        assert _in_a_fork(_killed, str(file), at, count) == -signal.SIGKILL
        left = files_of(built / "build")
        if "manifest.json" in left:
            whole = old if left["manifest.json"] == old["manifest.json"] else new
            assert {name: left.get(name) for name in whole} == whole, at
        make(file)
        assert files_of(built / "build") == new, at
