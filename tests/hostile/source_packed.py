"""Compressed files: cut off, damaged, under a wrong name, or far larger than they look."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable

from hostile.source_case import (
    ADA,
    ERROR,
    GOOD,
    MIB,
    PALACE,
    PARIS,
    SPA,
    Case,
    Kept,
    array,
    file_case,
    gz,
    lines,
    table,
)

FOUR = (PARIS, SPA, ADA, PALACE)
GIB = 1024
"""In MiB."""


def _zst(content: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


def _gzip_bomb(before: bytes, mebibytes: int, after: bytes, fill: bytes = b"\0") -> bytes:
    """One member. The same compressed piece stands for every further MiB: its window is as full as that of the one before."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece, plain = [], fill * MIB
    out = deflate.compress(before) + deflate.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(before)
    piece = deflate.compress(plain) + deflate.flush(zlib.Z_FULL_FLUSH)
    for _ in range(mebibytes):
        crc = zlib.crc32(plain, crc)
    crc = zlib.crc32(after, crc)
    size = len(before) + mebibytes * MIB + len(after)
    end = deflate.compress(after) + deflate.flush()
    trailer = crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + out + piece * mebibytes + end + trailer


def _zst_bomb(before: bytes, mebibytes: int, after: bytes) -> bytes:
    """One frame."""
    import zstandard

    frame = zstandard.ZstdCompressor().compressobj()
    zeros = b"\0" * MIB
    return b"".join(
        [
            frame.compress(before),
            *(frame.compress(zeros) for _ in range(mebibytes)),
            frame.compress(after),
            frame.flush(),
        ]
    )


def _zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("rows.jsonl", content)
    return out.getvalue()


def _broken() -> Iterable[Case]:
    kind = "packed"
    rows, many = lines(*GOOD), lines(*FOUR) * 2000
    yield file_case(kind, "gzip-truncated.jsonl.gz", lambda: [gz(rows)[:-12]], ERROR)
    yield file_case(kind, "gzip-truncated-in-the-middle-zh.csv.gz", lambda: [gz(table(*FOUR * 500))[:600]], ERROR)
    yield file_case(kind, "gzip-truncated-array.json.gz", lambda: [gz(array(*FOUR))[:-20]], ERROR)
    yield file_case(kind, "gzip-only-its-header.jsonl.gz", lambda: [gz(rows)[:10]], ERROR)
    yield file_case(kind, "gzip-without-its-checksum-zh.jsonl.gz", lambda: [gz(rows)[:-8]], ERROR)
    yield file_case(kind, "gzip-wrong-checksum.jsonl.gz", lambda: [_flipped(gz(rows), -6)], ERROR)
    yield file_case(kind, "gzip-damaged.jsonl.gz", lambda: [_flipped(gz(many), 700)], ERROR)
    yield file_case(kind, "gzip-is-zip.jsonl.gz", lambda: [_zip(rows)], ERROR)
    yield file_case(kind, "gzip-is-zip-zh.csv.gz", lambda: [_zip(table(SPA, PALACE))], ERROR)
    yield file_case(kind, "gzip-is-text.jsonl.gz", rows, ERROR, Kept(3))
    yield file_case(kind, "gzip-without-suffix.jsonl", lambda: [gz(rows)], ERROR, Kept(3))
    yield file_case(kind, "gzip-without-suffix-zh.csv", lambda: [gz(table(*GOOD))], ERROR, Kept(3))
    yield file_case(kind, "gzip-twice.jsonl.gz", lambda: [gz(gz(rows))], ERROR)
    yield file_case(kind, "gzip-empty.jsonl.gz", b"", ERROR)
    yield file_case(kind, "gzip-of-nothing.jsonl.gz", lambda: [gz(b"")], ERROR)
    yield file_case(
        kind,
        "gzip-two-members.jsonl.gz",
        lambda: [gz(lines(PARIS, SPA)), gz(lines(ADA, PALACE))],
        Kept(4),
        good=FOUR,
    )
    cut = rows.index("汤".encode()) + 1
    yield file_case(
        kind,
        "gzip-members-split-a-character-zh.jsonl.gz",
        lambda: [gz(rows[:cut]), gz(b""), gz(rows[cut:])],
        Kept(3),
    )
    yield file_case(
        kind,
        "gzip-two-members-zh.csv.gz",
        lambda: [gz(table(PARIS, SPA)), gz(table(ADA).split(b"\n", 1)[1])],
        Kept(3),
    )
    yield file_case(
        kind,
        "gzip-second-member-truncated.jsonl.gz",
        lambda: [gz(rows), gz(lines(PALACE))[:-9]],
        ERROR,
    )
    yield file_case(kind, "gzip-zeros-behind.jsonl.gz", lambda: [gz(rows), b"\0" * 512], Kept(3))
    yield file_case(kind, "gzip-garbage-behind.jsonl.gz", lambda: [gz(rows), b"garbage"], ERROR)
    yield file_case(kind, "zstd-truncated.jsonl.zst", lambda: [_zst(rows)[:-10]], ERROR)
    yield file_case(kind, "zstd-truncated-zh.csv.zst", lambda: [_zst(table(SPA, PALACE))[:40]], ERROR)
    yield file_case(kind, "zstd-damaged.jsonl.zst", lambda: [_flipped(_zst(many), 60)], ERROR)
    yield file_case(kind, "zstd-wrong-checksum-zh.jsonl.zst", lambda: [_flipped(_zst(rows), -2)], ERROR)
    yield file_case(kind, "zstd-is-gzip.jsonl.zst", lambda: [gz(rows)], ERROR)
    yield file_case(kind, "zstd-is-text-zh.json.zst", array(*GOOD), ERROR)
    yield file_case(kind, "zstd-empty.jsonl.zst", b"", ERROR)
    yield file_case(
        kind,
        "zstd-two-frames.jsonl.zst",
        lambda: [_zst(lines(PARIS, SPA)), _zst(lines(ADA, PALACE))],
        Kept(4),
        good=FOUR,
    )
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    yield file_case(kind, "zstd-skippable-frame.jsonl.zst", lambda: [skipped, _zst(rows)], Kept(3), ERROR)
    yield file_case(kind, "zstd-garbage-behind.jsonl.zst", lambda: [_zst(rows), b"garbage"], ERROR)
    yield file_case(kind, "parquet-packed.parquet.gz", lambda: [gz(b"PAR1")], ERROR)


def _bombs() -> Iterable[Case]:
    kind = "bombs"
    heavy = {"heavy": True, "seconds": 30}
    yield file_case(
        kind,
        "gzip-bomb-in-the-middle.jsonl.gz",
        lambda: [_gzip_bomb(lines(PARIS), GIB, b"\n" + lines(SPA, ADA))],
        Kept(3, 1, (2,)),
        **heavy,
    )
    yield file_case(
        kind,
        "gzip-bomb-at-the-end-zh.jsonl.gz",
        lambda: [_gzip_bomb(lines(*GOOD), GIB, b"")],
        Kept(3, 1, (4,)),
        **heavy,
    )
    yield file_case(kind, "gzip-bomb-alone.jsonl.gz", lambda: [_gzip_bomb(b"", GIB, b"")], ERROR, **heavy)
    yield file_case(kind, "gzip-bomb.json.gz", lambda: [_gzip_bomb(b"", GIB, b"")], ERROR, **heavy)
    yield file_case(
        kind,
        "gzip-bomb-of-brackets-zh.json.gz",
        lambda: [_gzip_bomb(array(SPA)[:-3] + b",", GIB, b"", b"[")],
        ERROR,
        **heavy,
    )
    yield file_case(
        kind,
        "gzip-bomb.csv.gz",
        lambda: [_gzip_bomb(table(PARIS), GIB, b"\n" + table(SPA, ADA).split(b"\n", 1)[1])],
        Kept(3, 1, (3,)),
        ERROR,
        **heavy,
    )
    yield file_case(
        kind,
        "gzip-bomb-in-quotes-zh.tsv.gz",
        lambda: [_gzip_bomb(table(SPA, delimiter="\t") + b'"', GIB, b"", b"x\n")],
        ERROR,
        **heavy,
    )
    yield file_case(
        kind,
        "zstd-bomb.jsonl.zst",
        lambda: [_zst_bomb(lines(PARIS), 4 * GIB, b"\n" + lines(SPA, ADA))],
        Kept(3, 1, (2,)),
        **heavy,
    )
    yield file_case(
        kind,
        "zstd-bomb-zh.csv.zst",
        lambda: [_zst_bomb(table(SPA), 4 * GIB, b"")],
        Kept(1, 1),
        ERROR,
        good=(SPA,),
        **heavy,
    )


CASES = (*_broken(), *_bombs())
