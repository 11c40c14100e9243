"""Build files that are no build files: other encodings, no keys and values, not even a file; and folders in the way."""

from __future__ import annotations

import gzip
import os
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

from hostile.build_files.case import BUILD_FILE, Case, keys

CHINESE = keys("# 这是一个构建文件，用来改写查询\n", name="small  # 名字")


def nothing(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """``make`` as the content of a case that writes no build file."""
    return lambda folder: (make(folder), None)[1]


ENCODINGS = tuple(
    Case(f"encoding-{name}", "encodings", content, expected)
    for name, content, expected in (
        ("utf16-le-without-bom", CHINESE.encode("utf-16-le"), "config error"),
        ("utf16-be-without-bom", CHINESE.encode("utf-16-be"), "config error"),
        ("utf16-le-without-bom-ascii", keys().encode("utf-16-le"), "config error"),
        ("utf16-be-without-bom-ascii", keys().encode("utf-16-be"), "config error"),
        ("utf16-with-bom", CHINESE.encode("utf-16"), "either"),
        ("utf32-with-bom", CHINESE.encode("utf-32"), "either"),
        ("gb18030", CHINESE.encode("gb18030"), "config error"),
        ("gb18030-comment-only", ("# 构建\n" + keys()).encode("gb18030"), "config error"),
        ("big5", keys("# 構建檔案\n").encode("big5"), "config error"),
        ("latin1", keys("# déjà vu\n").encode("latin-1"), "config error"),
        ("invalid-byte-at-the-end", CHINESE.encode() + b"\xff", "config error"),
        ("cut-off-character", CHINESE.encode() + "# 尾".encode()[:-1], "config error"),
        ("surrogates-in-utf8", keys("# \ud83d\n").encode("utf-8", "surrogatepass"), "config error"),
        ("gzip", gzip.compress(CHINESE.encode(), mtime=0), "config error"),
        ("random-bytes", bytes(range(256)) * 40, "config error"),
    )
)
SHAPES = tuple(
    Case(f"shape-{name}", "shapes", content)
    for name, content in (
        ("two-documents", keys() + "---\n" + keys(name="second")),
        ("second-document-empty", keys() + "---\n---\n"),
        ("tab-indentation", keys("limits:\n\tmax_rows: 3\n")),
        ("tab-before-a-key", keys("\tseed: 3\n")),
        ("empty", ""),
        ("only-comments", "# 什么都没有\n# nothing\n"),
        ("only-spaces", "  \n\n   \n"),
        ("only-a-marker", "---\n"),
        ("null", "null\n"),
        ("list-at-the-top", "- name: small\n- output: build\n"),
        ("text-at-the-top", "请构建数据集\n"),
        ("number-at-the-top", "42\n"),
        ("unclosed-quote", keys(name='"small')),
        ("unclosed-bracket", keys(sources="[{use: files")),
        ("colon-in-a-value", keys(output="build: 输出")),
        ("wrong-indentation", keys("limits:\n    max_rows: 3\n  max_requests: 1\n")),
        ("list-as-a-key", keys("? [甲, b]\n: 1\n")),
        ("mapping-as-a-key", keys("{a: b}: 1\n")),
        ("html", "<!DOCTYPE html>\n<html><body>404: Not Found</body></html>\n"),
        ("json-lines", '{"name": "small"}\n{"output": "build"}\n'),
        ("merge-conflict", keys("<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> 分支\n")),
    )
)


def _socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may be 108 bytes long
        try:
            server.bind(BUILD_FILE)
        finally:
            os.chdir(here)


def _loop(folder: Path) -> None:
    (folder / BUILD_FILE).symlink_to(BUILD_FILE)


PLACES = tuple(
    Case(f"place-{name}", "places", nothing(make), argument=argument, says=says, apart=apart)
    for name, make, argument, says, apart in (
        ("folder", lambda folder: (folder / BUILD_FILE).mkdir(), BUILD_FILE, (BUILD_FILE,), False),
        ("fifo", lambda folder: os.mkfifo(folder / BUILD_FILE), BUILD_FILE, (BUILD_FILE,), True),
        ("chinese-fifo", lambda folder: os.mkfifo(folder / "管道.yaml"), "管道.yaml", ("管道.yaml",), True),
        ("socket", _socket, BUILD_FILE, (BUILD_FILE,), False),
        ("endless", lambda _: None, "/dev/zero", ("/dev/zero",), True),
        ("null-device", lambda _: None, "/dev/null", ("/dev/null",), False),
        ("missing", lambda _: None, "没有.yaml", ("没有.yaml",), False),
        ("missing-folder", lambda _: None, "nowhere/build.yaml", ("nowhere/build.yaml",), False),
        ("below-a-file", lambda _: None, "rows.jsonl/build.yaml", ("rows.jsonl/build.yaml",), False),
        ("link-to-nothing", lambda folder: (folder / BUILD_FILE).symlink_to("没有"), BUILD_FILE, (BUILD_FILE,), False),
        ("link-to-itself", _loop, BUILD_FILE, (BUILD_FILE,), False),
        ("empty-path", lambda _: None, "", (), False),
        ("dot", lambda _: None, ".", (), False),
        ("long-path", lambda _: None, "长" * 200 + ".yaml", (), False),
        ("very-long-path", lambda _: None, "a/" * 4000 + "build.yaml", (), False),
        ("escape-in-the-path", lambda _: None, "\x1b[31mbuild.yaml", ("build.yaml",), False),
        ("rows-instead", lambda _: None, "rows.jsonl", ("rows.jsonl",), False),
    )
)  # fmt: skip


def _large(folder: Path) -> None:
    with (folder / BUILD_FILE).open("wb") as file:
        file.truncate(6 * 2**30)


LARGE = (
    Case("place-sparse-file-of-6-gb", "places", nothing(_large), apart=True),
    Case("shape-3000-unknown-keys", "shapes", lambda _: keys("".join(f"键{n}: 1\n" for n in range(3000)))),
    Case("shape-3000-wrong-items", "shapes", lambda _: keys("dedup: {earlier: [" + "1, " * 3000 + "]}\n"), says=("dedup",)),
    Case("shape-text-of-2-mb", "shapes", lambda _: keys(limits="字" * 700_000), says=("limits",)),
    Case("shape-key-of-1-mb", "shapes", lambda _: keys(f'? "{"k" * 2**20}"\n: 1\n')),
    Case("shape-use-of-100000-letters", "shapes", lambda _: keys(perturbers="[{use: " + "u" * 100_000 + "}]"), says=("perturbers",)),
    Case("shape-name-of-5000-letters", "shapes", lambda _: keys(name="n" * 5000), says=("name",)),
)  # fmt: skip


def planted(*names: str, key: str = "output", value: str = "mine") -> Callable[[Path], str]:
    """A build file whose ``key`` is ``value``; the files ``names`` (folders end in /) are somebody's own."""

    def make(folder: Path) -> str:
        for name in names:
            path = folder / name
            if name.endswith("/"):
                path.mkdir(parents=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"我的文件 my own {name}\n", encoding="utf-8")
        return keys(**{key: value})

    return make


def _foreign_database(folder: Path) -> str:
    with sqlite3.connect(folder / "账本.sqlite") as database:
        database.execute("create table photos (name text)")
        database.execute("insert into photos values ('holiday')")
    database.close()
    return keys(ledger="账本.sqlite")


def _linked_rows(folder: Path) -> str:
    (folder / "album").mkdir()
    (folder / "album" / "one.txt").write_text("mine\n", encoding="utf-8")
    (folder / "mine").mkdir()
    (folder / "mine" / "rows").symlink_to("../album")
    return keys(output="mine")


FOLDERS = tuple(
    Case(f"folder-{name}", "folders and ledgers", content, "refused", says=says, command="build")
    for name, content, says in (
        ("output-empty", keys(output='""'), ("output",)),
        ("output-spaces", keys(output='"   "'), ("output",)),
        ("output-null", keys(output="~"), ("output",)),
        ("output-is-a-file", planted("mine"), ("mine",)),
        ("output-below-a-file", planted("mine", value="mine/构建"), ("mine",)),
        ("output-is-the-rows", keys(output="rows.jsonl"), ("rows.jsonl",)),
        ("output-is-a-device", keys(output="/dev/null"), ("/dev/null",)),
        ("output-is-here", keys(output="."), ()),
        ("output-is-here-with-a-slash", keys(output="./"), ()),
        ("output-holds-rows-of-others", planted("mine/rows/novel.txt"), ("mine",)),
        ("output-holds-exports-of-others", planted("mine/exports/照片.txt"), ("mine",)),
        ("output-holds-a-report-of-others", planted("mine/report.md"), ("mine",)),
        ("output-holds-unfinished-work-of-others", planted("mine/unfinished/小说.txt"), ("mine",)),
        ("output-holds-a-manifest-of-others", planted("mine/manifest.json"), ("mine",)),
        ("output-holds-a-build-file-of-others", planted("mine/build.yaml"), ("mine",)),
        ("output-holds-rows-of-others-by-a-link", _linked_rows, ("mine",)),
        ("output-holds-a-file-called-rows", planted("我的/rows", value="我的"), ("我的",)),
        ("output-name-too-long", keys(output="长" * 100), ()),
        ("output-path-too-long", lambda _: keys(output="a/" * 4000 + "b"), ()),
        ("ledger-in-memory", keys(ledger='":memory:"'), ("ledger",)),
        ("ledger-file-uri", keys(ledger='"file:ledger.sqlite?mode=memory&cache=shared"'), ("ledger",)),
        ("ledger-file-uri-of-a-file", keys(ledger='"file:账本.sqlite"'), ("ledger",)),
        ("ledger-empty", keys(ledger='""'), ("ledger",)),
        ("ledger-spaces", keys(ledger='"  "'), ("ledger",)),
        ("ledger-is-a-folder", planted("mine/", key="ledger"), ("mine",)),
        ("ledger-is-no-database", planted("mine.sqlite", key="ledger", value="mine.sqlite"), ("mine.sqlite",)),
        ("ledger-is-the-build-file", keys(ledger=BUILD_FILE), (BUILD_FILE,)),
        ("ledger-is-the-rows", keys(ledger="rows.jsonl"), ("rows.jsonl",)),
        ("ledger-is-another-database", _foreign_database, ("账本.sqlite",)),
        ("ledger-below-a-file", planted("mine", key="ledger", value="mine/ledger.sqlite"), ("mine",)),
        ("ledger-name-too-long", keys(ledger="账" * 100), ()),
    )
)
MORE_FOLDERS = (
    Case("folder-output-above", "folders and ledgers", keys(output=".."), "refused", (), "build"),
    Case("folder-output-holds-photos", "folders and ledgers", planted("mine/照片/a.jpg"), "refused", ("mine",), "build"),
    Case("folder-output-holds-the-data", "folders and ledgers", planted("mine/notes.txt", "mine/数据.jsonl"), "either", (), "build"),
)  # fmt: skip
FILE_CASES = (*ENCODINGS, *SHAPES, *PLACES, *LARGE, *FOLDERS, *MORE_FOLDERS)
