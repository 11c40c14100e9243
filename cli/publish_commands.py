"""What ``pairwright verify`` and ``publish`` do: the last steps before others use a build."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.errors import ExportError


def verify_command(folder: Path, tokenizer: str, cutoff_len: int) -> None:
    """Print what the trainers' own loaders made of the exports; rows that arrived otherwise are an error."""
    from pairwright.exports.verification.trainer_loads import verify_exports

    found = verify_exports(folder / "exports", tokenizer, cutoff_len=cutoff_len)
    rows = [
        (one.trainer, one.name, one.template, one.rows, one.longest, one.skipped or "; ".join(one.problems) or "none")
        for one in found
    ]
    print_table(
        "Loaded by the trainers", [("trainer", "set", "template", "rows", "longest, tokens", "problems"), *rows]
    )
    if broken := [one.name for one in found if one.problems]:
        raise ExportError(f"not loaded as written: {', '.join(broken)}", "The table says what is wrong with each.")


def publish_command(
    folder: Path,
    repo: str,
    private: bool,
    revision: str,
    tag: str | None,
    endpoint: str | None,
    licence: bool,
    personal: Sequence[str],
    dry_run: bool,
) -> None:
    """Publish and print the address and the lines that load the data set; or list what would go."""
    from pairwright.exports.publishing.hub import listing, publish

    done = publish(
        folder,
        repo,
        private=private,
        revision=revision,
        tag=tag,
        endpoint=endpoint,
        allow_licences=licence,
        allow_personal_data=personal,
        dry_run=dry_run,
    )
    print(*listing(done), sep="\n")
    print("nothing was sent" if dry_run else f"{done.url}\n{done.loading(repo)}")
