"""A build as an object: what notebooks and scripts use, and what the command line stands on.

    from pairwright import Build

    build = Build.from_file("my.yaml")
    build.preview(5)
    build.run()
    first = next(build.pairs())

Every method also works inside a running event loop, so in a notebook's cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pairwright.core.bookkeeping import StageCount
from pairwright.core.calibration import apply_calibration
from pairwright.core.config.build_file import BuildConfig, parse_build
from pairwright.core.config.yaml_file import read_yaml
from pairwright.core.errors import BuildError, ConfigError, Stopped
from pairwright.core.llm.ledger import Ledger, require_ledger
from pairwright.core.pages.shown import MarkdownText, Part, Shown
from pairwright.core.records import PreferencePair, SftRow
from pairwright.core.result import BuildResult
from pairwright.pipelines.books import Silent, Watcher
from pairwright.pipelines.build import STEPS, prepare, run_build, run_until
from pairwright.pipelines.build_folder import read_finished, scratch_of
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.endpoint_servers import endpoints_in_use
from pairwright.pipelines.folder_claim import MANIFEST, UNFINISHED, look_at_folder
from pairwright.pipelines.forecast import Forecast, forecast_build
from pairwright.pipelines.preflight import check_endpoints
from pairwright.pipelines.preview import Preview, preview_build
from pairwright.pipelines.reporting.funnel import funnel_table
from pairwright.pipelines.reporting.shown_pairs import ShownPairs

if TYPE_CHECKING:
    from datasets import DatasetDict


@dataclass(frozen=True, repr=False)
class Checked(Shown):
    """A build that could begin: what ``endpoints`` it would ask, and what reading its sources found."""

    called: str
    endpoints: tuple[str, ...]
    forecast: Forecast

    def parts(self) -> Iterator[Part]:
        """Endpoints, rows, and that all is well."""
        found = self.forecast
        yield Part(lines=self.endpoints)
        yield Part("Rows", funnel_table(found.counts))
        fine = f"fine, {found.queries} queries, {found.references} of them with a reference rewrite"
        yield Part(lines=(f"{self.called}: {fine}",))


@dataclass(frozen=True, repr=False)
class Finished(Shown):
    """A build that ran: its books, the SHA-256 of every exported file, and how many ``requests`` it sent.

    ``endpoints`` says whether it has any to ask. One that ran only as far as the stage ``until`` has neither files nor
    ``build_id``.
    """

    folder: Path
    counts: tuple[StageCount, ...]
    requests: int
    endpoints: bool
    build_id: str = ""
    files: Mapping[str, str] | None = None
    until: str = ""

    @property
    def sent(self) -> str:
        """How much was asked, as a sentence; empty for a build without endpoints."""
        if not self.endpoints:
            return ""
        return f"{self.requests:,} requests were sent in this run; all other answers came from the ledger."

    def parts(self) -> Iterator[Part]:
        """The funnel, the files, and where to look."""
        yield Part("Funnel: in = kept + dropped + failed", funnel_table(self.counts))
        if self.until:
            yield Part(lines=(f"stopped after stage {self.until}; its rows are in {self.folder / UNFINISHED}",))
            return
        yield Part(text="\n".join(f"{digest}  {name}" for name, digest in (self.files or {}).items()))
        report, look = self.folder / "report.md", f"pairwright show {self.folder}"
        yield Part(lines=(f"build {self.build_id} is in {self.folder}; read {report}, look: {look}",))

    def __str__(self) -> str:
        return f"{self.sent}\n\n{super().__str__()}".strip()


class Build:
    """A build file and all that can be done with it; see docs/api.md."""

    def __init__(self, config: BuildConfig, called: str = "build", file: Path | None = None) -> None:
        self.config = config
        self._called = called
        self._file = file

    @classmethod
    def from_file(cls, path: Path | str, *, code: bool = True, **changes: Any) -> Self:
        """The build of a YAML file; ``changes`` replace keys of it, such as ``output="builds/mine"``.

        With ``code=False`` it may use components of ours only: ``use: module:Class`` and plug-ins are refused, unseen.

        Paths in it are relative to the working directory, as on the command line.

        Raises:
            ConfigError: no such file, or every problem that it has.
        """
        return cls._parsed({**read_yaml(Path(path)), **changes}, str(path), Path(path), code=code)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The build of what would stand in a build file.

        Raises:
            ConfigError: every problem that it has.
        """
        if not isinstance(content, Mapping):
            raise ConfigError([f"build: expected keys and values, found {type(content).__name__}"])
        return cls._parsed(content, f"build {content.get('name', '')}".strip())

    @classmethod
    def _parsed(cls, content: Mapping[str, Any], called: str, file: Path | None = None, *, code: bool = True) -> Self:
        return cls(parse_build(content, called, CATALOGUES, code=code), called, file)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config.name!r}, output={self.config.output!r})"

    @property
    def folder(self) -> Path:
        """Where the build is, or will be."""
        return Path(self.config.output)

    def check(self) -> Checked:
        """Look for everything that the build needs, and read its sources; sends nothing.

        Raises:
            StorageError: :attr:`folder` holds something else than this build.
            PairwrightError: what is missing, all of it.
        """
        self._look_at_folder()
        require_ledger(self.config.ledger_path)
        config = prepare(self.config)
        return Checked(self._called, tuple(check_endpoints(config)), forecast_build(config))

    def plan(self) -> Forecast:
        """The rows, requests, tokens and cost to expect; sends nothing.

        Raises:
            StorageError: :attr:`folder` holds something else than this build.
            SourceError, BuildError: a source cannot be read, or no query is left.
        """
        self._look_at_folder()
        return forecast_build(self.config)

    def _look_at_folder(self) -> None:
        look_at_folder(self.config, scratch_of(STEPS), file=self._file)

    def preview(self, queries: int = 5, *, ask: bool = False) -> Preview:
        """A few queries through everything, as far as pairing. Only with ``ask`` endpoints are asked, and paid for.

        Raises:
            PairwrightError: as :meth:`run`; but rows that fail are shown, however many there are.
        """
        with _stoppable():
            return preview_build(self.config, queries, ask=ask)

    def run(self, progress: bool | Watcher = True, until: str | None = None, *, replace: bool = False) -> Finished:
        """Build, and put the result in :attr:`folder`; with ``until`` only as far as the stage of that name.

        A build of another name in that folder, and files of it that were edited, are replaced only with ``replace``.

        ``progress`` shows a display that fits the place, or tells a watcher of yours of every row. Stop it whenever you
        like: run again, it goes on there, and nothing that was answered is asked for again.

        Raises:
            StorageError: :attr:`folder` holds something else than this build; nothing was read, asked or written.
            PairwrightError: see core/errors.py.
            Stopped: a KeyboardInterrupt: Ctrl-C, or the stop button.
        """
        if not isinstance(progress, bool | Watcher):
            raise TypeError(f"progress is True, False or an object with begin, advance and end, not {progress!r}")
        before: list[int] = []
        with ExitStack() as stack:

            def watch(ledger: Ledger) -> Watcher:
                before.append(ledger.usage().requests)
                if not isinstance(progress, bool):
                    return progress
                if not progress:
                    return Silent()
                from pairwright.core.execution.progress import open_display

                return stack.enter_context(open_display(ledger.usage))

            stack.enter_context(_stoppable())
            if until is None:
                done = run_build(self.config, watch, replace=replace, file=self._file)
            else:
                counts = run_until(self.config, until, watch, replace=replace, file=self._file)
        with Ledger(self.config.ledger_path) as ledger:
            sent = ledger.usage().requests - before[0]
        asks = bool(endpoints_in_use(self.config))
        if until is not None:
            return Finished(self.folder, counts, sent, asks, until=until)
        made = json.loads((self.folder / MANIFEST).read_bytes())["files"]
        files = {name: digest for name, digest in made.items() if name.startswith("exports/")}
        return Finished(self.folder, done.counts, sent, asks, done.build_id, files)

    def result(self) -> BuildResult:
        """The finished build in :attr:`folder`.

        Raises:
            BuildError: there is none, or it was made from another build file.
        """
        found = read_finished(self.folder)
        if found.config != apply_calibration(self.config):
            raise BuildError(
                f"{self.folder}: the build there was made from another build file",
                f"run() builds it anew; Build.from_file('{self.folder / 'build.yaml'}') is the one that it was made from.",
            )
        return found

    def pairs(self) -> Iterator[PreferencePair]:
        """The preference pairs of the finished build, streamed.

        Raises:
            BuildError: see :meth:`result`.
        """
        return self.result().pairs()

    def sft(self) -> Iterator[SftRow]:
        """The answers to imitate of the finished build, streamed.

        Raises:
            BuildError: see :meth:`result`.
        """
        return self.result().sft()

    def show(self, limit: int = 5, *, defect: str | None = None, language: str | None = None) -> ShownPairs:
        """Some pairs of the finished build with their dialogues and differences, as ``pairwright show`` prints them.

        Raises:
            BuildError: see :meth:`result`.
            ValueError: ``limit`` is less than 0.
        """
        if limit < 0:
            raise ValueError(f"at least 0 pairs can be shown, not {limit}")
        fitting = (
            pair
            for pair in self.pairs()
            if defect in (None, pair.rejected.defect) and language in (None, pair.task.language)
        )
        return ShownPairs(tuple(islice(fitting, limit)))

    def report(self) -> MarkdownText:
        """The report of the finished build, in Markdown; a notebook renders it.

        Raises:
            BuildError: see :meth:`result`.
        """
        self.result()
        return MarkdownText((self.folder / "report.md").read_text(encoding="utf-8"))

    def to_datasets(self) -> dict[str, DatasetDict]:
        """The finished build as data sets in memory, for TRL's trainers: ``sft``, ``dpo`` and ``kto``, each by split.

        The rows are those of the ``trl`` export, with its settings where the build file has one.

        Raises:
            BuildError: see :meth:`result`.
            ExportError: every row of a kind had to be left out, or they make no table.
        """
        from pairwright.exports.forms.trl_datasets import trl_datasets

        return trl_datasets(self.result())


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C in this block says what is kept, and is no screenful of frames in a notebook."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped("what was answered is in the ledger; run it again to go on") from None
