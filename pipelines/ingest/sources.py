"""Where dialogues come from: files, standard input, Hugging Face data sets."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import Field, field_validator

from pairwright.core.bookkeeping import Failed
from pairwright.core.components import Component, Source
from pairwright.core.config.endpoint_urls import is_url
from pairwright.core.errors import SourceError
from pairwright.core.records import Conversation, Language
from pairwright.core.untrusted_json import well_formed
from pairwright.pipelines.ingest.file_readers import expand, read_file
from pairwright.pipelines.ingest.json_lines import read_json_lines
from pairwright.pipelines.ingest.raw_rows import BadRow, RawRow
from pairwright.pipelines.ingest.row_forms import RowMapping, RowReader
from pairwright.pipelines.ingest.row_values import RowError

Rows = Iterable[Mapping[str, Any]]

STAGE = "read"
_LONGEST_MESSAGE = 500  # characters
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class RowSource(Component):
    """What all sources have in common: the source's name and licence, and how its rows are to be read."""

    # Not called ``name``: that is what the catalogue calls the component (see core/components.py).
    source: str = Field(pattern=_NAME, description="Name of the source: rows, cards and reports call it so.")
    licence: str = Field("unknown", description="Licence of the data, kept with every row.")
    language: Language | None = Field(
        None, description="Language of all rows; default: the row's 'lang' or 'language', else detected."
    )
    mapping: RowMapping = Field(
        default_factory=RowMapping, description="Where rows keep what is needed, if under other keys."
    )

    def _outcomes(self, rows: Iterable[RawRow | BadRow], file: str) -> Iterator[Conversation | Failed]:
        reader = RowReader(self.source, self.licence, self.language, self.mapping)
        file = well_formed(file)  # a name in another encoding than UTF-8
        for row in rows:
            if isinstance(row, BadRow):
                yield _failed(row, file)
                continue
            try:
                yield reader.conversation(row.fields, file, row.line)
            except RowError as exc:
                yield _failed(BadRow(row.line, exc.error, str(exc)), file)
            except RecursionError:
                yield _failed(BadRow(row.line, "not_readable", "nested too deeply"), file)


class FileSource(RowSource):
    """Files of one kind: JSON Lines, JSON, CSV or Parquet, plain, ``.gz`` or ``.zst``."""

    name: ClassVar[str] = "files"
    path: str = Field(
        min_length=1, description="A file or a glob such as 'logs/**/*.jsonl.gz'; relative to the working directory."
    )

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        return _no_url(path, "files of this machine are read; fetch it, or use 'huggingface' with OWNER/NAME")

    def read(self) -> Iterator[Conversation | Failed]:
        """Yield one outcome per row, file by file in the order of their paths.

        Raises:
            SourceError: no file, an empty or broken one, an unknown suffix.
        """
        for path in expand(self.path):
            yield from self._outcomes(read_file(path), path.as_posix())


class StdinSource(RowSource):
    """JSON Lines from standard input, as in ``zcat logs.gz | pairwright build build.yaml``."""

    name: ClassVar[str] = "stdin"

    def read(self) -> Iterator[Conversation | Failed]:
        """Yield one outcome per line.

        Raises:
            SourceError: nothing comes, or standard input is a terminal.
        """
        hint = "Pipe JSON Lines into the command, or use 'files'."
        if sys.stdin is None or sys.stdin.isatty():
            raise SourceError(f"stdin: {'closed' if sys.stdin is None else 'a terminal, not data'}", hint)
        yield from self._outcomes(self._rows(hint), "stdin")

    def _rows(self, hint: str) -> Iterator[RawRow | BadRow]:
        rows = read_json_lines(sys.stdin.buffer, "stdin")
        try:
            first = next(rows, None)
            if first is None:
                raise SourceError("stdin: no rows came", hint)
            yield first
            yield from rows
        except OSError as exc:
            raise SourceError(f"stdin: {exc.strerror or exc}", hint) from exc


class HuggingFaceSource(RowSource):
    """A Hugging Face data set, streamed: by its name on the Hub, or a local folder."""

    name: ClassVar[str] = "huggingface"
    path: str = Field(
        min_length=1, description="Name on the Hub ('owner/name'), a folder of data files, or one made by save_to_disk."
    )
    subset: str | None = Field(None, description="Configuration of the data set, where it has several.")
    split: str = Field("train", description="Split to read.")
    revision: str | None = Field(
        None, description="Commit, tag or branch on the Hub; name a commit for builds that can be repeated."
    )

    @field_validator("path")
    @classmethod
    def _is_a_name(cls, path: str) -> str:
        return _no_url(path, "expected OWNER/NAME or a folder")

    def read(self) -> Iterator[Conversation | Failed]:
        """Yield one outcome per row; a row's line is its number in the split.

        Raises:
            SourceError: no such data set, configuration or split, or the Hub cannot be reached.
        """
        file = f"{self.path}/{self.subset}/{self.split}" if self.subset else f"{self.path}/{self.split}"
        yield from self._outcomes(self._rows(file), file)

    def _rows(self, file: str) -> Iterator[RawRow]:
        from datasets.exceptions import DatasetsError

        line = 0
        try:
            for line, fields in enumerate(self._open(), start=1):
                yield RawRow(line, fields)
        except (DatasetsError, OSError, EOFError, ValueError, TypeError, LookupError, RuntimeError, zlib.error) as exc:
            reason = next(iter(str(exc).splitlines()), "") or type(exc).__name__
            raise SourceError(
                f"{file}: {reason}", "Check path, subset, split and revision, and that the data set can be reached."
            ) from exc
        if line == 0:
            raise SourceError(f"{file}: the data set has no rows", "Name another split.")

    def _open(self) -> Rows:
        import datasets

        # What save_to_disk leaves: load_dataset refuses such folders.
        if (Path(self.path) / "state.json").exists() or (Path(self.path) / "dataset_dict.json").exists():
            saved = datasets.load_from_disk(self.path)
            if isinstance(saved, datasets.DatasetDict) and self.split not in saved:
                raise ValueError(f"no split {self.split!r}, only {', '.join(saved)}")
            return cast("Rows", saved[self.split] if isinstance(saved, datasets.DatasetDict) else saved)
        stream = datasets.load_dataset(
            self.path, name=self.subset, split=self.split, revision=self.revision, streaming=True
        )
        return cast("Rows", stream)


_SOURCES: tuple[type[Source], ...] = (FileSource, StdinSource, HuggingFaceSource)

SOURCES: Mapping[str, type[Source]] = {source.name: source for source in _SOURCES}


def _no_url(path: str, expected: str) -> str:
    """``path``; a URL may hold a password, and is not shown."""
    if is_url(path):
        raise ValueError(f"a URL: {expected}")
    return path


def clip(message: str) -> str:
    """A message that quotes a row, without what no file can hold and no longer than a person reads."""
    message = well_formed(message)
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]} …"


def _failed(row: BadRow, file: str) -> Failed:
    return Failed(
        stage=STAGE, row=f"{file}:{row.line}", error=row.error, message=clip(row.message), file=file, line=row.line
    )
