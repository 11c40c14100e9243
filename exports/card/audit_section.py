"""The part of the card that says how well the two sides of a pair can be told apart without reading the dialogue."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.core.audit_result import SURFACES, Audit, AuditGroup
from pairwright.core.pages.markdown import markdown_table


def audit_section(audit: Audit | None) -> Iterator[str]:
    """The probes' scores for all pairs, each language, and every group with a flag; or that nobody looked."""
    if audit is None:
        yield "Not measured: the build file has no `audit` section."
        return
    yield (
        f"A classifier that sees only the two answers told them apart on {audit.audited:,} of {audit.pairs:,} pairs as follows: area "
        f"under the ROC curve with its 95 % interval; 0.5 is chance, {audit.max_auc:g} was aimed at."
    )
    yield ""
    shown = [group for group in audit.groups if group.kind != "defect" or group.flags]
    yield from markdown_table([("pairs of", "pairs", *SURFACES, "flags"), *map(_row, shown)])


def _row(group: AuditGroup) -> list[object]:
    scores = [group.scores.get(surface) for surface in SURFACES]
    cells = [f"{one.auc:.2f} ({one.low:.2f} to {one.high:.2f})" if one else "too few" for one in scores]
    flags = "; ".join(f"{flag.surface} {flag.verdict.replace('_', ' ')}: {flag.note}" for flag in group.flags)
    return [f"{group.name} {group.rejected_by}".strip(), f"{group.pairs:,}", *cells, flags]
