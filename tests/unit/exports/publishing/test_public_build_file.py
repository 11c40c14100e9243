"""A published build file can be read and built again by others, and says nothing of the machine that it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pairwright.exports.publishing.public_build_file import for_strangers, without_homes


def test_folders_and_what_stands_beside_a_host_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/Zhangwei"))
    config = {
        "name": "demo",
        "output": "/home/Zhangwei/builds",
        "ledger": "/home/Zhangwei/ledger.sqlite",
        "sources": [
            {"use": "files", "path": "/home/Zhangwei/data/*.jsonl"},
            {"use": "huggingface", "path": "owner/name"},
            {"use": "files", "path": "../Zhangwei/rows.jsonl"},
            {"use": "my.module:Source", "folder": "D:\\work\\Zhangwei\\set", "note": "see /home/Zhangwei/notes.txt"},
        ],
        "endpoints": {"teacher": {"base_url": "https://me:hush@models.example:8443/v1?key=hush#hush", "timeout": 60}},
        "examples": {"path": "data/examples.jsonl"},
        "limits": {"max_cost": None},
        "exports": [{"use": "card", "title": "/think or /no_think? 和/或"}],
    }
    assert for_strangers(config) == {
        "name": "demo",
        "sources": [
            {"use": "files", "path": "*.jsonl"},
            {"use": "huggingface", "path": "owner/name"},
            {"use": "files", "path": "rows.jsonl"},
            {"use": "my.module:Source", "folder": "set", "note": "see ~/notes.txt"},
        ],
        "endpoints": {"teacher": {"base_url": "https://models.example:8443/v1", "timeout": 60}},
        "examples": {"path": "data/examples.jsonl"},
        "limits": {"max_cost": None},
        "exports": [{"use": "card", "title": "/think or /no_think? 和/或"}],
    }


@pytest.mark.parametrize(
    "home",
    [
        "/home/zhangwei",
        "/Users/zhangwei",
        "/mnt/c/Users/zhangwei",
        "/export/home/zhangwei",
        "/var/home/zhangwei",
        "c:\\users\\zhangwei",
        "D:/Users/zhangwei",
        "\\\\wsl$\\Ubuntu\\home\\zhangwei",
        "\\\\wsl.localhost\\Ubuntu\\home\\zhangwei",
    ],
)
def test_the_name_in_a_home_folder_is_that_of_a_person(home: str) -> None:
    assert for_strangers({"path": home}) == {"path": "~"}
    for rest in ("/notes.txt", " ", "，然后"):
        assert without_homes(f"see {home}{rest}") == f"see ~{rest}"


def test_other_tildes_and_folders_stay() -> None:
    for text in ("~/x", "a~b/c", "1~2", "see /home page", "https://host/~zhangwei/", "/data/home.txt"):
        assert without_homes(text) == text
    assert without_homes("see ~zhangwei/x") == "see ~/x"
