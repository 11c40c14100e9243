"""Paths that lead to something else than a plain file, or to several of which one is bad."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hostile.source_case import (
    ADA,
    ERROR,
    GOOD,
    MIB,
    PALACE,
    PARIS,
    SPA,
    Case,
    Content,
    Kept,
    Outcome,
    array,
    gz,
    line,
    lines,
    table,
    write,
)

WRITTEN = lines(*GOOD)


def _place(kind: str, name: str, make: Callable[[Path], str | Path], *expected: Outcome, **more: Any) -> Case:
    return Case(name, kind, lambda folder: str(make(folder)), expected, **more)


def _linked(name: str, target: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).symlink_to(target)
        return folder / name

    return make


def _among(pattern: str, files: dict[str, Content], *calls: Callable[[Path], object]) -> Callable[[Path], Path]:
    """A glob, and the files that it finds."""

    def make(folder: Path) -> Path:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write(folder / name, content)
        for call in calls:
            call(folder)
        return folder / pattern

    return make


def _fifo(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return make


def _socket(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        os.mknod(folder / name, stat.S_IFSOCK | 0o600)
        return folder / name

    return make


def _folder(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        write(folder / name / "rows.jsonl", WRITTEN)
        return folder / name

    return make


def _gone_when_open(opened: str, removed: str) -> Callable[[int, Path], None]:
    """Removes one file as soon as the reading process has opened another."""

    def during(process: int, folder: Path) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                links = [os.readlink(entry) for entry in Path(f"/proc/{process}/fd").iterdir()]
            except FileNotFoundError:
                if not Path(f"/proc/{process}").exists():
                    return
                continue
            if any(link.endswith(opened) for link in links):
                (folder / removed).unlink()
                return
            time.sleep(0.001)

    return during


def _special() -> Iterable[Case]:
    kind = "special files"
    yield _place(kind, "fifo.jsonl", _fifo("fifo.jsonl"), ERROR, named="fifo.jsonl")
    yield _place(kind, "fifo-zh.csv", _fifo("管道.csv"), ERROR, named="管道.csv")
    yield _place(kind, "fifo.json", _fifo("fifo.json"), ERROR)
    yield _place(kind, "fifo.parquet", _fifo("fifo.parquet"), ERROR)
    yield _place(kind, "fifo.jsonl.gz", _fifo("fifo.jsonl.gz"), ERROR)
    yield _place(
        kind, "fifo-among-files", _among("*.jsonl", {"a.jsonl": WRITTEN}, _fifo("b.jsonl")), ERROR, named="b.jsonl"
    )
    yield _place(kind, "socket.jsonl", _socket("socket.jsonl"), ERROR)
    yield _place(kind, "socket-zh.tsv", _socket("套接字.tsv"), ERROR, named="套接字.tsv")
    yield _place(
        kind, "socket-among-files", _among("*.csv", {"a.csv": table(*GOOD)}, _socket("b.csv")), ERROR, named="b.csv"
    )
    yield _place(kind, "folder.jsonl", _folder("folder.jsonl"), ERROR)
    yield _place(kind, "folder-zh.csv", _folder("文件夹.csv"), ERROR, named="文件夹.csv")
    yield _place(kind, "folder-among-files", _among("*.jsonl", {"b.jsonl": WRITTEN}, _folder("a.jsonl")), Kept(3))
    yield _place(kind, "dev-null", _linked("null.jsonl", "/dev/null"), ERROR)
    yield _place(kind, "dev-null-zh", _linked("空.parquet", "/dev/null"), ERROR)
    for suffix in ("jsonl", "json", "csv", "jsonl.gz", "parquet"):
        yield _place(kind, f"dev-zero.{suffix}", _linked(f"zero.{suffix}", "/dev/zero"), ERROR, heavy=True)
    for suffix in ("jsonl", "json", "tsv", "jsonl.zst"):
        yield _place(kind, f"dev-urandom-zh.{suffix}", _linked(f"随机.{suffix}", "/dev/urandom"), ERROR, heavy=True)
    yield _place(
        kind,
        "dev-zero-among-files",
        _among("*.jsonl", {"b.jsonl": WRITTEN}, _linked("a.jsonl", "/dev/zero")),
        ERROR,
        named="a.jsonl",
        heavy=True,
    )
    yield _place(kind, "dev-zero-itself", lambda folder: "/dev/zero", ERROR)
    yield _place(kind, "proc-mem", _linked("memory.jsonl", "/proc/self/mem"), ERROR)


def _links() -> Iterable[Case]:
    kind = "links"
    yield _place(kind, "link-broken.jsonl", _linked("broken.jsonl", "nowhere.jsonl"), ERROR)
    yield _place(kind, "link-broken-zh.parquet", _linked("断.parquet", "没有.parquet"), ERROR)
    yield _place(
        kind,
        "link-broken-among-files",
        _among("*.jsonl", {"a.jsonl": WRITTEN}, _linked("b.jsonl", "nowhere")),
        ERROR,
        named="b.jsonl",
    )
    yield _place(kind, "link-to-itself.jsonl", _linked("itself.jsonl", "itself.jsonl"), ERROR)
    yield _place(kind, "link-to-itself-zh.csv", _linked("循环.csv", "循环.csv"), ERROR)
    yield _place(
        kind,
        "link-loop-among-files",
        _among("*.json", {"a.json": array(*GOOD)}, _linked("b.json", "c.json"), _linked("c.json", "b.json")),
        ERROR,
        named=".json",
    )
    yield _place(
        kind, "link-to-folder-above", _among("**/*.jsonl", {"a.jsonl": WRITTEN}, _linked("loop", ".")), Kept(3)
    )
    yield _place(
        kind, "link-to-folder-above-zh", _among("**/*.csv", {"层/a.csv": table(*GOOD)}, _linked("层/回", "..")), Kept(3)
    )
    yield _place(
        kind,
        "link-to-good-file.jsonl",
        _among("link.jsonl", {"a.txt": WRITTEN}, _linked("link.jsonl", "a.txt")),
        Kept(3),
    )


def _names() -> Iterable[Case]:
    kind = "names"
    yield _place(
        kind,
        "name-not-utf8",
        _among("*.jsonl", {os.fsdecode(b"\xff\xed\xa0\x80.jsonl"): WRITTEN}),
        Kept(3),
        ERROR,
        named=".jsonl",
    )
    gb = os.fsdecode("语料".encode("gb18030"))
    yield _place(
        kind,
        "name-gb18030-and-bad-rows-zh",
        _among("*.csv", {f"{gb}.csv": table(PARIS, b"x\n", SPA, ADA)}),
        Kept(3, 1),
        ERROR,
        named=".csv",
    )
    yield _place(kind, "name-gb18030-broken-zh", _among("*.json", {f"{gb}.json": b"[{"}), ERROR, named=".json")
    yield _place(
        kind,
        "name-escape-sequences",
        _among("*.json", {"\x1b[2J\x07\nerror: fine.json": b"["}),
        ERROR,
        named="fine.json",
    )
    yield _place(
        kind,
        "name-escape-sequences-good-rows",
        _among("*.jsonl", {"\x1b]0;x\x07\u202elnosj.jsonl": lines(PARIS, b"{", SPA, ADA)}),
        Kept(3, 1),
    )
    yield _place(kind, "name-with-brackets", _among("a[1].jsonl", {"a[1].jsonl": WRITTEN}), Kept(3))
    yield _place(
        kind,
        "name-upper-case-zh",
        _among("语料.JSONL.GZ", {"语料.JSONL.GZ": lambda: [gz(WRITTEN)]}),
        Kept(3),
    )
    yield _place(kind, "name-unknown-suffix", _among("rows.txt", {"rows.txt": WRITTEN}), ERROR)
    yield _place(kind, "name-no-suffix-zh", _among("语料", {"语料": WRITTEN}), ERROR)
    yield _place(kind, "name-only-gz", _among("rows.gz", {"rows.gz": gz(WRITTEN)}), ERROR)
    yield _place(kind, "name-zip", _among("rows.zip", {"rows.zip": b"PK\3\4"}), ERROR)
    yield _place(
        kind, "name-unknown-among-known", _among("*", {"a.jsonl": WRITTEN, "b.exe": b"MZ"}), ERROR, named="b.exe"
    )
    yield _place(kind, "no-such-file", lambda folder: folder / "nowhere.jsonl", ERROR)
    yield _place(kind, "nothing-matches-zh", lambda folder: folder / "没有" / "**" / "*.jsonl", ERROR)
    yield _place(kind, "no-such-home", lambda folder: "~nobody-of-this-name/rows.jsonl", ERROR)
    yield _place(kind, "name-too-long", lambda folder: folder / ("x" * 300 + ".jsonl"), ERROR, named="xxxxxxxx")
    yield _place(kind, "name-too-long-zh", lambda folder: folder / ("长" * 100 + ".csv"), ERROR, named="长长长长")
    yield _place(
        kind,
        "path-too-long",
        lambda folder: folder.joinpath(*["folder"] * 800, "rows.jsonl"),
        ERROR,
        named="folder/folder",
    )
    yield _place(kind, "name-with-nul", lambda folder: f"{folder}/a\0b.jsonl", ERROR, named="b.jsonl")
    yield _place(kind, "name-unclosed-bracket", lambda folder: folder / "rows[1.jsonl", ERROR)
    yield _place(kind, "file-as-folder", _among("rows.jsonl/more.jsonl", {"rows.jsonl": WRITTEN}), ERROR)


def _globs() -> Iterable[Case]:
    kind = "globs"
    good: dict[str, Content] = {"b.jsonl": WRITTEN, "b.csv": table(*GOOD), "b.json": array(*GOOD)}

    def one(name: str, suffix: str, bad: Content, *expected: Outcome, **more: Any) -> Case:
        files = {f"a.{suffix}": bad, f"b.{suffix}": good[f"b.{suffix}"]}
        return _place(kind, name, _among(f"*.{suffix}", files), *expected, named=f"a.{suffix}", **more)

    yield one("good-after-empty", "jsonl", b"", ERROR, Kept(3))
    yield one("good-after-empty-zh", "csv", b"", ERROR, Kept(3))
    yield one("good-after-whitespace", "json", b" \n", ERROR, Kept(3))
    yield one("good-after-invalid-rows", "jsonl", lines(b"{", "坏".encode()), Kept(3, 2))
    yield one("good-after-invalid-rows-zh", "csv", table('["谁？"],,x\n'.encode(), b"x\n"), Kept(3, 2))
    yield one("good-after-broken-array", "json", b"[" + line(PALACE), ERROR)
    yield one("good-after-utf16", "jsonl", lines(PALACE).decode().encode("utf-16"), ERROR, Kept(4))
    yield one("good-after-truncated-line-zh", "jsonl", lines(PALACE)[:-9], Kept(3, 1))
    yield one("good-after-unclosed-quote", "csv", table(PALACE) + b'"x,y', ERROR, Kept(4, 1))
    yield one("good-after-gzip", "jsonl", gz(lines(PALACE)), ERROR, Kept(3, 1), Kept(4))
    packed = {"a.jsonl.gz": gz(lines(PALACE))[:-10], "b.jsonl.gz": gz(WRITTEN)}
    yield _place(kind, "good-after-truncated-gzip-zh", _among("*.gz", packed), ERROR, named="a.jsonl.gz")
    yield _place(
        kind, "bad-after-good", _among("*.json", {"a.json": array(*GOOD), "b.json": b"[{]"}), ERROR, named="b.json"
    )
    cut = {"a.jsonl": lines(PARIS) + line(SPA), "b.jsonl": lines(ADA, PALACE)}
    yield _place(kind, "no-line-break-between-files-zh", _among("*.jsonl", cut), Kept(4), good=(*GOOD, PALACE))
    mixed: dict[str, Content] = {
        "a.csv": table(PARIS),
        "b.json": array(SPA),
        "c.jsonl": lines(ADA, b"{"),
        "d.tsv": table(PALACE, delimiter="\t"),
    }
    yield _place(kind, "one-of-each-zh", _among("*", mixed), Kept(4, 1), good=(*GOOD, PALACE))

    def slow(row: object) -> Content:
        return lambda: [line(PALACE)[:-1], b', "note": "', b"x" * (60 * MIB), b'"}\n']

    two = {"a-first.jsonl": slow(PALACE), "b-second.jsonl": WRITTEN}
    yield _place(
        kind,
        "vanishes",
        _among("*.jsonl", two),
        ERROR,
        Kept(4),
        named="b-second.jsonl",
        heavy=True,
        during=_gone_when_open("a-first.jsonl", "b-second.jsonl"),
    )
    two = {"a-甲.jsonl": slow(PALACE), "b-乙.jsonl.gz": gz(WRITTEN)}
    yield _place(
        kind,
        "vanishes-zh",
        _among("*.jsonl*", two),
        ERROR,
        Kept(4),
        named="b-乙.jsonl.gz",
        heavy=True,
        during=_gone_when_open("a-甲.jsonl", "b-乙.jsonl.gz"),
    )


CASES = (*_special(), *_links(), *_names(), *_globs())
