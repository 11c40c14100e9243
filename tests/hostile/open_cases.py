"""Hostile cases that are not mended, and what happens instead. The benchmarks count them as failed."""

from __future__ import annotations

from collections.abc import Mapping

SOURCES: Mapping[str, str] = {
    "columns-of-unequal-length-zh.jsonl": "of columns of unequal length the longer ones are cut without a word",
    "history-columns-of-unequal-length.json": "of columns of unequal length the longer ones are cut without a word",
    "content-twice-in-turn.jsonl": "of a key that stands twice in a JSON object the last value counts, as in most programs",
    "query-twice.jsonl": "of a key that stands twice in a JSON object the last value counts, as in most programs",
    "rewrite-twice-zh.json": "of a key that stands twice in a JSON object the last value counts, as in most programs",
    "good-after-gzip": "bytes that follow a compressed file end the build",
    "link-to-folder-above": "a link to a folder above is followed by '**' as often as the system lets it",
    "link-to-folder-above-zh": "a link to a folder above is followed by '**' as often as the system lets it",
    "nul-in-header.csv": "the header of a CSV file keeps NUL characters",
    "parquet-date-beyond-python.parquet": "a date that Python does not have ends the build",
    "path-too-long": "a path that is too long is blamed on another file",
}
"""Names of cases, and what happens."""
