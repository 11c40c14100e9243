"""What the report says of the shortcut audit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pairwright.core.audit_result import SURFACES, Audit, AuditGroup
from pairwright.core.pages.cells import Table
from pairwright.core.pages.markdown import markdown_table


def audit_lines(audit: Audit) -> Iterator[str]:
    """How well the sides are told apart, by group and surface, and what is flagged as a shortcut."""
    yield from (
        f"How well chosen is told from rejected without the dialogue, on {audit.audited} of {audit.pairs} pairs: area under",
        f"the ROC curve with 95 % intervals, {audit.folds} folds over dialogues. 0.5 is chance; what passes "
        f"{audit.max_auc:g} is flagged.",
        "",
    )
    yield from markdown_table(audit_table(audit))
    shortcuts = shortcut_table(audit)
    if len(shortcuts) > 1:
        yield from ("", "What is flagged as a shortcut, and which side has more of what:", "")
        yield from markdown_table(shortcuts)


def audit_table(audit: Audit) -> Table:
    """Header and one row per group: pairs, AUC with interval per surface, flags."""
    header = ("pairs of", "made by", "pairs", "chosen longer", *(f"{surface} AUC" for surface in SURFACES), "flags")
    return [header, *(_group_row(group) for group in audit.groups)]


def _group_row(group: AuditGroup) -> Sequence[object]:
    scores = [group.scores.get(surface) for surface in SURFACES]
    cells = [f"{score.auc:.2f} ({score.low:.2f}-{score.high:.2f})" if score else "too few" for score in scores]
    flags = "; ".join(f"{flag.surface}: {flag.verdict.replace('_', ' ')}" for flag in group.flags)
    return group.name, group.rejected_by, group.pairs, f"{group.chosen_longer:.0%}", *cells, flags


def shortcut_table(audit: Audit) -> Table:
    """Header and one row per group with shortcuts: on which surfaces, what they are, what tells most."""
    rows = []
    for group in audit.groups:
        flags = [flag for flag in group.flags if flag.verdict == "shortcut"]
        if flags:
            notes = "; ".join(dict.fromkeys(flag.note for flag in flags))
            rows.append(
                (group.name, group.rejected_by, ", ".join(flag.surface for flag in flags), notes, _telling(group))
            )
    return [("pairs of", "made by", "surfaces", "note", "tells most"), *rows]


def _telling(group: AuditGroup) -> str:
    return ", ".join(f"{one.feature} {one.side} {one.pairs:.0%}" for one in group.telling)
