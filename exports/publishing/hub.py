"""Publishes a finished build to the Hugging Face Hub: exports, card, report and the build file, in one commit.

Nothing else leaves the machine: no ledger, no rows that were dropped, no keys. A revision is complete or absent, because
files are uploaded first and appear with the commit; after a broken upload the same command goes on where it stopped.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import yaml

from pairwright.core.config.endpoint_urls import url_problem
from pairwright.core.errors import ConfigError, PublishError
from pairwright.core.files.owned_folder import BUILD, mark_name, read_mark
from pairwright.core.files.storage import sha256_of
from pairwright.core.untrusted_json import read_json
from pairwright.exports.publishing.licences import combined
from pairwright.exports.publishing.personal_data import KINDS, Concern, concerns, rows_by_kind, text_concerns
from pairwright.exports.publishing.public_build_file import for_strangers

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

FORMS = ("jsonl", "llamafactory", "openai", "parquet", "trl")
TRIES = 5  # in all, after waits of 1, 2, 4 and 8 seconds
# 412: somebody else's commit came between.
_AGAIN = {408, 409, 412, 429, 500, 502, 503, 504}
# What git allows in no name of a branch or a tag: see git-check-ref-format(1).
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|^[/.-]|/\.|[/.]$|\.lock(?:/|$)|^@?$")
_REFUSED = {
    401: "The token is missing or not valid: run `hf auth login`, or set HF_TOKEN to one that may write.",
    403: "This token may not write there: make one with write permission for that account.",
    404: "No such repository or revision, or the token may not see it.",
}


class Publication(NamedTuple):
    """What went to the Hub, or would go: bytes by path in the repository. ``commit`` is empty for a dry run."""

    url: str
    commit: str
    files: Mapping[str, int]
    configs: tuple[str, ...]
    revision: str = "main"

    def loading(self, repo: str) -> str:
        """The two lines that load it."""
        chosen = f', "{self.configs[0]}"' if self.configs else ""
        chosen += f", revision={json.dumps(self.revision, ensure_ascii=False)}" if self.revision != "main" else ""
        return f'from datasets import load_dataset\nrows = load_dataset("{repo}"{chosen})'


def publish(
    output: Path,
    repo: str,
    *,
    private: bool = True,
    revision: str = "main",
    tag: str | None = None,
    endpoint: str | None = None,
    allow_licences: bool = False,
    allow_personal_data: Collection[str] = (),
    dry_run: bool = False,
    wait: Callable[[float], None] = time.sleep,
) -> Publication:
    """Upload the build in ``output`` to the data set ``repo`` (``owner/name``), which is made if it is not there.

    The token comes from where huggingface_hub looks for it, the address from ``endpoint`` or HF_ENDPOINT. A dry run
    sends nothing. ``allow_personal_data`` names kinds of :mod:`~pairwright.exports.publishing.personal_data` that may go.

    Raises:
        ConfigError: ``revision``, ``tag``, ``endpoint`` or ``allow_personal_data`` is none.
        PublishError: the build is unfinished, changed or must not be published, ``repo`` is no name; or the Hub refused.
    """
    _check_name(repo)
    _check_place(revision, tag, endpoint)
    if unknown := sorted(set(allow_personal_data) - set(KINDS)):
        raise ConfigError([f"--allow-personal-data: no kind {unknown[0]!r}; there are: {', '.join(KINDS)}"])
    contents = _contents(output)
    problems = _licence_problems(output)
    if problems and not allow_licences:
        raise PublishError("; ".join(problems), "Leave a source out, or allow it if you know that you may.")
    problems = (*problems, *_allowed_concerns(output, contents, allow_personal_data))
    sizes = {path: item.stat().st_size if isinstance(item, Path) else len(item) for path, item in contents.items()}
    configs = _configs(output / "exports" / "README.md")
    message = f"pairwright build {_manifest(output)['build']}"
    message += "".join(f"\n\nAllowed in spite of: {problem}" for problem in problems)
    with _hub(endpoint) as api:
        commit = "" if dry_run else _upload(api, repo, contents, message, private, revision, tag, wait)
        return Publication(f"{api.endpoint}/datasets/{repo}", commit, sizes, configs, revision)


def _check_name(repo: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo)
        if "/" not in repo:
            raise HFValidationError("there is no owner")
    except HFValidationError as exc:
        raise PublishError(f"{repo!r} is no name of a data set: {exc}", "Name it OWNER/NAME.") from exc


def _check_place(revision: str, tag: str | None, endpoint: str | None) -> None:
    from huggingface_hub import constants, get_token

    from pairwright.core.llm.endpoint import key_problem

    names = {"--revision": revision, "--tag": tag}
    problems = [
        f"{option}: {name!r} is no name that git allows"
        for option, name in names.items()
        if name is not None and _NO_REF.search(name)
    ]
    if url_problem(endpoint or constants.ENDPOINT):
        named = "--endpoint" if endpoint else "HF_ENDPOINT"
        problems.append(
            f"{named}: no address of a Hub: http:// or https:// and its name, no user, password, '?' or '#'"
        )
    try:
        problem = key_problem(get_token() or "")
    except UnicodeDecodeError:
        problem = "is not text"
    if problem:
        problems.append(f"the token (HF_TOKEN, or what `hf auth login` kept) {problem}; it is not shown")
    if problems:
        raise ConfigError(
            problems,
            "Names are such as main or v1.0; the address is the Hub's alone, such as https://huggingface.co, for the token is HF_TOKEN.",
        )


@contextmanager
def _hub(endpoint: str | None) -> Iterator[HfApi]:
    """The client of ``endpoint``. It reads the address of its own commits against a constant, not against the argument."""
    from huggingface_hub import HfApi, constants

    before = constants.ENDPOINT
    constants.ENDPOINT = (endpoint or before).rstrip("/")
    try:
        yield HfApi(endpoint=constants.ENDPOINT)
    finally:
        constants.ENDPOINT = before


def _upload(
    api: HfApi,
    repo: str,
    contents: Mapping[str, Path | bytes],
    message: str,
    private: bool,
    revision: str,
    tag: str | None,
    wait: Callable[[float], None],
) -> str:
    """Make what is missing, commit, and return the commit."""
    patiently = _Patience(repo, wait)
    patiently(lambda: api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True))
    if revision != "main":
        patiently(lambda: api.create_branch(repo, branch=revision, repo_type="dataset", exist_ok=True))
    commit = _commit(api, repo, revision, contents, message, patiently)
    if tag:
        patiently(lambda: api.create_tag(repo, tag=tag, revision=commit, repo_type="dataset", exist_ok=True))
    return commit


def _commit(
    api: HfApi, repo: str, revision: str, contents: Mapping[str, Path | bytes], message: str, patiently: _Patience
) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    there = patiently(lambda: api.list_repo_files(repo, revision=revision, repo_type="dataset"))
    # Of ours alone: other files of the repository stay.
    stale = [path for path in there if path.split("/")[0] in FORMS and path not in contents]
    # The operations remember which files have arrived: a further try uploads only the others.
    operations = [CommitOperationAdd(path, item) for path, item in contents.items()]
    gone = [CommitOperationDelete(path) for path in stale]
    # One commit: upload_large_folder would commit as it goes, and leave half of a build behind when it stops.
    return patiently(
        lambda: api.create_commit(
            repo, [*operations, *gone], commit_message=message, revision=revision, repo_type="dataset"
        )
    ).oid


class _Patience:
    """Tries again what may work later, and turns every other refusal into a clear error."""

    def __init__(self, repo: str, wait: Callable[[float], None]) -> None:
        self._repo, self._wait = repo, wait

    def __call__(self, action: Callable[[], T]) -> T:
        from huggingface_hub.errors import HfHubHTTPError

        # Its bases are the errors of the HTTP library that the installed version stands on: there were three so far.
        failures: tuple[type[BaseException], ...] = (OSError, RuntimeError, *HfHubHTTPError.__bases__)
        for attempt in range(TRIES):
            try:
                return action()
            except failures as exc:
                # Uploads run in threads of the client, which wraps what went wrong there in a RuntimeError.
                cause = exc.__cause__ or exc if isinstance(exc, RuntimeError) else exc
                status = cause.response.status_code if isinstance(cause, HfHubHTTPError) else None
                if (status and status not in _AGAIN) or attempt == TRIES - 1:
                    raise self._error(status, cause) from exc
            self._wait(2.0**attempt)
        raise AssertionError("unreachable")

    def _error(self, status: int | None, cause: BaseException) -> PublishError:
        again = "Run the same command again: what has arrived is not sent twice."
        if status is None:
            return PublishError(f"the Hub cannot be reached for {self._repo}: {type(cause).__name__}", again)
        return PublishError(f"the Hub answered {status} for {self._repo}", _REFUSED.get(status, again))


def _contents(output: Path) -> dict[str, Path | bytes]:
    """What is published, by path in the repository: every exported file, if all files are as the build wrote them."""
    names = _unchanged(output)
    contents: dict[str, Path | bytes] = {
        name.removeprefix("exports/"): output / name for name in names if name.startswith("exports/")
    }
    if "README.md" not in contents:
        raise PublishError(f"{output}: there is no data card", "Add {use: card} to 'exports' and build again.")
    build_file = for_strangers(yaml.safe_load((output / "build.yaml").read_text(encoding="utf-8")))
    contents["build.yaml"] = yaml.safe_dump(build_file, allow_unicode=True, sort_keys=False).encode()
    return {**contents, "report.md": output / "report.md", "manifest.json": output / "manifest.json"}


def _unchanged(output: Path) -> tuple[str, ...]:
    """The files of the build, rows included: what must not be published is looked for in them.

    Raises:
        PublishError: one of them is not what the build wrote.
    """
    listed = set(_manifest(output)["files"]) | {"build.yaml", "report.md", "manifest.json"}
    mark = read_mark(output, BUILD)
    files = mark.files if mark else {}
    if unknown := sorted(listed - {name for name, digests in files.items() if digests}):
        raise PublishError(
            f"{output}: {mark_name(BUILD)} does not say what the build wrote to {unknown[0]}",
            "Build again, and publish that; answers come from the ledger.",
        )
    for name, digests in files.items():
        path = output / name
        if not path.is_file() or sha256_of(path) not in digests:
            raise PublishError(
                f"{path}: missing or changed since the build", "Build again with --replace, and publish that."
            )
    return tuple(files)


def _manifest(output: Path) -> dict[str, Any]:
    try:
        content = read_json((output / "manifest.json").read_bytes())
    except FileNotFoundError as exc:
        raise PublishError(f"{output}: no finished build here", "Build first: pairwright build FILE") from exc
    except ValueError:
        content = None
    if not isinstance(content, dict) or "build" not in content or not isinstance(content.get("files"), dict):
        raise PublishError(f"{output / 'manifest.json'}: damaged", "Build again with --replace, and publish that.")
    return content


def _licence_problems(output: Path) -> tuple[str, ...]:
    sources = yaml.safe_load((output / "build.yaml").read_text(encoding="utf-8"))["sources"]
    return combined({source.get("source", source["use"]): source.get("licence", "") for source in sources}).problems


def _allowed_concerns(output: Path, contents: Mapping[str, Path | bytes], allowed: Collection[str]) -> Iterator[str]:
    """What is published although it holds personal data of an ``allowed`` kind.

    Raises:
        PublishError: other personal data, or flagged rows; it names the first place of each kind.
    """
    found = rows_by_kind(chain(concerns(output / "rows"), _concerns_of_pages(contents)))
    if refused := {kind: rows for kind, rows in found.items() if kind not in allowed}:
        raise PublishError(
            f"{output}: rows that must not be published: "
            + "; ".join(
                f"{kind} in {len(rows)}, first {rows[0].place} ({rows[0].hint})" for kind, rows in refused.items()
            ),
            "Take these rows out of the sources, or drop copies of test sets (decontamination.action), and build again. "
            f"Personal data that may be published: --allow-personal-data, one of {', '.join(KINDS)}.",
        )
    return (f"{kind} in {len(rows)} rows" for kind, rows in found.items())


def _concerns_of_pages(contents: Mapping[str, Path | bytes]) -> Iterator[Concern]:
    """The same of what is no file of rows: the card, the report, the build file, and forms that are not ours."""
    for name, content in contents.items():
        if name.split("/")[0] not in FORMS and name != "manifest.json":
            data = content if isinstance(content, bytes) else content.read_bytes()
            yield from text_concerns(data.decode(encoding="utf-8", errors="replace"), name)


def _configs(card: Path) -> tuple[str, ...]:
    from huggingface_hub import metadata_load

    # The Hub's own reader: a title may hold what looks like the end of the block.
    metadata = metadata_load(card) or {}
    return tuple(config["config_name"] for config in metadata.get("configs", ()))


def listing(publication: Publication) -> Iterator[str]:
    """One line per file, with its size, and the total."""
    for path, size in sorted(publication.files.items()):
        yield f"{size:>12,}  {path}"
    yield f"{sum(publication.files.values()):>12,}  bytes in {len(publication.files)} files"
