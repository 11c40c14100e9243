"""YAML that people write, read with errors that name the line: the one reader of build files, recipes, rubrics and rules.

It takes what JSON has, in YAML's clothes: texts, numbers, dates, lists and mappings, with anchors and merge keys. A key that
stands twice, an own tag, a text that names itself or grows without end are refused, each with its line.
"""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from pairwright.core.errors import ConfigError
from pairwright.core.secret_patterns import hide_keys

DEEPEST = 64  # levels; a build file has about eight
_MOST_REPEATED = 100_000  # parts that aliases may add: beyond them nine lines can fill all memory
_LONGEST_NUMBER = 100  # characters
_LONGEST_KEY = 1000  # characters; YAML itself allows no more where a key stands without '?'
_LARGEST = 16 << 20  # bytes
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_STANDARD = "tag:yaml.org,2002:"
_KINDS = frozenset(
    f"{_STANDARD}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge")
)
# Octal and sexagesimal numbers, which hardly anybody means.
_AMBIGUOUS = re.compile(r"[-+]?(?:0[0-7_]+$|[0-9_]+:[0-5]?[0-9])")
_NUMBERS = frozenset({f"{_STANDARD}int", f"{_STANDARD}float"})
# YAML 1.1 wants a dot in a float; LlamaFactory (OmegaConf) and people do not.
_FLOAT = re.compile(
    r"^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)"
    r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_FILES: tuple[tuple[int, str], ...] = (
    (stat.S_IFDIR, "a folder"),
    (stat.S_IFIFO, "a pipe"),
    (stat.S_IFCHR, "a device"),
    (stat.S_IFBLK, "a device"),
    (stat.S_IFSOCK, "a socket"),
)


class YamlProblem(ValueError):
    """Text that is no YAML, or holds what nobody means: says what and in which line."""


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._open: list[str | None] = []  # the anchors of what is being read, one per level
        self._sizes: dict[int, tuple[int, int, int]] = {}  # of each node: all parts, those written here, levels
        self._path: list[str] = []  # the keys above what is being read
        self._paths: dict[int, str] = {}  # of each text, number or date: its keys

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self._open:
                raise _error(f"*{event.anchor} stands inside of what it names", event.start_mark)
            return super().compose_node(parent, index)
        if len(self._open) >= DEEPEST:
            raise _error(f"more than {DEEPEST} levels, one inside of the other", event.start_mark)
        self._open.append(event.anchor)
        # PyYAML gives the key of a mapping's value as its index, and none for a key or the top.
        label = index.value if isinstance(index, yaml.ScalarNode) else index
        self._path.append("" if label is None else f"{label}"[:_LONGEST_NUMBER])
        node = super().compose_node(parent, index)
        if node is not None:
            self._check(node)
        self._path.pop()
        self._open.pop()
        return node

    def _here(self) -> str:
        path = ".".join(part for part in self._path if part)
        return f"{path}: " if path else ""

    def _check(self, node: yaml.Node) -> None:
        if node.tag not in _KINDS:
            shown = node.tag.replace(_STANDARD, "!!")
            raise _error(f"{self._here()}the tag {shown} means nothing here: leave it out", node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            self._sizes[id(node)] = (1, 1, 1)
            self._paths[id(node)] = self._here()
            if found := _CONTROL.search(node.value):
                raise _error(f"{self._here()}the character U+{ord(found[0]):04X} in a text: remove it", node.start_mark)
            if node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
                raise _error(f"{self._here()}a number of {len(node.value):,} characters", node.start_mark)
            return
        parts = [one for pair in node.value for one in pair] if isinstance(node, yaml.MappingNode) else node.value
        sizes = [self._sizes[id(part)] for part in parts]
        written = 1 + sum(
            own for _, own, _ in {id(part): size for part, size in zip(parts, sizes, strict=True)}.values()
        )
        size, levels = 1 + sum(every for every, _, _ in sizes), 1 + max((deep for _, _, deep in sizes), default=0)
        if size - written > _MOST_REPEATED:
            raise _error(f"aliases repeat more than {_MOST_REPEATED:,} parts: write out what is meant", node.start_mark)
        if levels > DEEPEST:
            raise _error(f"with its aliases more than {DEEPEST} levels, one inside of the other", node.start_mark)
        self._sizes[id(node)] = (size, written, levels)
        if isinstance(node, yaml.MappingNode):
            self._require_single(node)

    def _require_single(self, node: yaml.MappingNode) -> None:
        seen: dict[Hashable, yaml.Mark] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _error("a list or a mapping stands where a key should be", key_node.start_mark)
            if len(key_node.value) > _LONGEST_KEY:
                raise _error(f"{self._here()}a key of {len(key_node.value):,} characters", key_node.start_mark)
            merge = key_node.tag == f"{_STANDARD}merge"
            key = "<<" if merge else self.construct_object(key_node)
            if key in seen:
                also = "; several are merged as '<<: [*one, *two]'" if merge else "; leave one out"
                raise _error(
                    f"the key {key!r} stands here twice, in line {seen[key].line + 1} and in line {key_node.start_mark.line + 1}{also}",
                    key_node.start_mark,
                )
            seen[key] = key_node.start_mark

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            found = super().construct_object(node, deep)
            if isinstance(found, int) and abs(found) >= 2**63:
                raise _error(f"{self._paths.get(id(node), '')}a whole number beyond 64 bits", node.start_mark)
            if isinstance(found, int | float) and isinstance(node, yaml.ScalarNode) and _AMBIGUOUS.match(node.value):
                place = self._paths.get(id(node), "")
                raise _error(
                    f"{place}{node.value} is {found} in YAML 1.1 and something else in YAML 1.2: write {found}, or quote it",
                    node.start_mark,
                )
            return found
        except yaml.YAMLError:
            raise
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as exc:
            kind = {"timestamp": "date", "int": "whole number", "float": "number", "bool": "true or false"}
            what = kind.get(node.tag.removeprefix(_STANDARD), "value")
            raise _error(
                f"{self._paths.get(id(node), '')}{node.value!r:.60} is no {what}; quote it if it is a text",
                node.start_mark,
            ) from exc


class _ExponentLoader(_Loader):
    """The same, for numbers as trainers write them."""


_ExponentLoader.add_implicit_resolver(f"{_STANDARD}float", _FLOAT, list("-+0123456789."))


def parse_yaml(text: str, numbers: Literal["yaml", "trainer"] = "yaml") -> Any:
    """What ``text`` says. For a ``trainer`` ``1e-5`` is a number; for ``yaml`` it is a text without a dot in it.

    Raises:
        YamlProblem: see the class.
    """
    try:
        return (_ExponentLoader if numbers == "trainer" else _Loader)(text).get_single_data()
    except yaml.YAMLError as exc:
        raise YamlProblem(f"not valid YAML: {hide_keys(_told(exc, text))}") from exc


def read_written_text(path: Path, encoding: Literal["utf-8", "utf-8-sig"] = "utf-8-sig") -> str:
    """The text of a file that a person wrote, in UTF-8; with ``utf-8-sig`` without its byte-order mark.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no plain file, too large, or in another encoding.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        what = next((name for kind, name in _FILES if stat.S_IFMT(found.st_mode) == kind), "no file")
        raise ValueError(f"{what}: name a plain file")
    if found.st_size > _LARGEST:
        raise ValueError(f"{found.st_size:,} bytes: more than the {_LARGEST:,} that a person writes")
    content = path.read_bytes()
    if other := next((name for mark, name in _BOMS if content.startswith(mark)), None):
        raise ValueError(f"it is written in {other}: save it as UTF-8")
    if content[:256].count(0) > min(len(content), 256) // 4:
        raise ValueError("it looks like UTF-16 or UTF-32: save it as UTF-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ValueError(f"line {line}: not UTF-8, {_guess(content)}: save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_yaml(path: Path) -> dict[str, Any]:
    """The content of a build file.

    Raises:
        ConfigError: no such file, not readable, not YAML, or no mapping at the top.
    """
    try:
        return read_mapping(path)
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such build file"], "'pairwright init' writes one to start from.") from None
    except OSError as exc:
        raise ConfigError([f"{_shown(path)}: cannot be read: {exc.strerror or exc}"]) from exc


def read_mapping(path: Path, numbers: Literal["yaml", "trainer"] = "yaml") -> dict[str, Any]:
    """The keys and values in a file.

    Raises:
        OSError: there is no such file, or it cannot be opened.
        ConfigError: anything else, with the file and the line.
    """
    try:
        text = read_written_text(path)
    except ValueError as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc
    try:
        return mapping_in(parse_yaml(text, numbers))
    except ValueError as exc:
        raise ConfigError([f"{path}: {exc}"]) from exc


def mapping_in(content: object) -> dict[str, Any]:
    """``content``, which must be a mapping whose keys are texts.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(content, Mapping):
        what = "nothing: the file is empty" if content is None else type(content).__name__
        raise YamlProblem(f"expected keys and values, found {what}")
    if strange := [key for key in content if not isinstance(key, str)]:
        raise YamlProblem(f"expected keys that are texts, found {strange[0]!r:.60}: quote it if it is one")
    return dict(content)


def _shown(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 500 else f"{text[:200]}…{text[-100:]}"


def _error(problem: str, mark: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)


def _told(exc: yaml.YAMLError, text: str) -> str:
    if isinstance(exc, yaml.reader.ReaderError):
        # Its character is a number, its position counts characters from the first.
        line = text.count("\n", 0, exc.position) + 1
        return f"line {line}: the character U+{exc.character:04X} must not stand there: remove it"
    if not isinstance(exc, yaml.MarkedYAMLError):
        return " ".join(str(exc).split())
    marks = ((exc.context, exc.context_mark), (exc.problem, exc.problem_mark))
    told = ": ".join(f"{what}{_place(mark)}" for what, mark in marks if what)
    if "'\\t'" in told:
        return f"{told}; indent with spaces, not with tabs"
    if "expected a single document" in told:
        return f"{told}; write one file for each, and remove the line '---'"
    return " ".join(told.split())


def _place(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"


def _guess(content: bytes) -> str:
    try:
        decoded = content.decode("gb18030")
    except UnicodeDecodeError:
        return "perhaps Latin-1 or Windows-1252"
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in decoded)
    return "probably GB 18030 (GBK)" if chinese else "perhaps Latin-1 or Windows-1252"
