"""Tricky build files that are right, and must stay so."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from hostile.build_files.case import Case, endpoint, keys
from hostile.build_files.component_cases import PERTURBER, own

ANCHORS = keys(
    """
context: &context
  turns: 2
  max_tokens: 512
endpoints:
  teacher: &server
    use: embedded
    timeout: 30
  裁判:
    <<: *server
    timeout: 60
  third:
    <<: [*server, {slots: 2}]
limits: {<<: {max_rows: 500}, max_rows: 400}
"""
)


def chinese_paths(folder: Path) -> str:
    """Chinese comments, and Chinese names of the rows and the output."""
    (folder / "rows.jsonl").rename(folder / "对话.jsonl")
    rows = "[{use: files, source: dialogues, path: 对话.jsonl, licence: MIT}]"
    return keys("# 注释：改写查询 😀\n", output="构建/第一次", sources=rows)


def linked(folder: Path) -> None:
    """The build file is a link to one with a Chinese name."""
    (folder / "构建.yaml").write_text(keys(), encoding="utf-8")
    (folder / "build.yaml").symlink_to("构建.yaml")


def chinese_name(folder: Path) -> None:
    """Only a file with a Chinese name."""
    (folder / "构 建.yaml").write_text(keys("# 注释\n"), encoding="utf-8")


def empty_output(folder: Path) -> str:
    """The output folder is there already."""
    (folder / "build").mkdir()
    return keys()


RIGHT_CASES = (
    Case("right-anchors-and-merge-keys", "right", ANCHORS, "fine", ()),
    Case("right-chinese-text", "right", chinese_paths, "fine", (), "build"),
    Case("right-bom", "right", b"\xef\xbb\xbf" + keys("# 中文\n").encode(), "fine", ()),
    Case("right-windows-line-ends", "right", keys("limits:\n  max_rows: 50\n").replace("\n", "\r\n"), "fine", ()),
    Case("right-quoted-numbers", "right", keys('limits: {max_rows: "50", max_failure_rate: "0.5"}\n', seed='"3"'), "fine", ()),
    Case("right-underscores-and-exponents", "right", keys("limits: {max_rows: 1_000, max_cost: 1e3}\n", seed="0"), "fine", ()),
    Case("right-one-document-with-markers", "right", "%YAML 1.1\n---\n" + keys() + "...\n", "fine", ()),
    Case("right-json", "right", json.dumps(yaml.safe_load(keys())), "fine", ()),
    Case("right-same-key-in-two-sections", "right", keys("limits: {max_tokens: 100}\ncontext: {max_tokens: 100}\n"), "fine", ()),
    Case("right-quoted-words-that-look-like-others", "right", keys(name='"2024-02-30"', output='"no"'), "fine", ()),
    Case("right-block-text", "right", keys(output=">-\n  build", name="|-\n  small"), "fine", ()),
    Case("right-link", "right", linked, "fine", ()),
    Case("right-chinese-file-name", "right", chinese_name, "fine", (), argument="构 建.yaml"),
    Case("right-module-that-prints", "right", own("own_p", "print('正在加载')\n" + PERTURBER), "fine", ()),
    Case("right-ipv6", "right", endpoint('{model: m, base_url: "http://[::1]:8000/v1"}'), "fine", ()),
    Case("right-upper-case-url", "right", endpoint("{model: 通义, base_url: HTTP://LOCALHOST:8000/v1/}"), "fine", ()),
    Case("right-empty-output-folder", "right", empty_output, "fine", (), "build"),
)  # fmt: skip
