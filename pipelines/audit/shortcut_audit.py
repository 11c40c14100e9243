"""The shortcut audit: can chosen be told from rejected without the dialogue, and where does it show?

A student that can, learns the artefact instead of the task. Three probes see only the two answers: their length, their
punctuation, and all n-grams with both. Length and punctuation must tell no more than ``pairing.max_surface_auc``;
the balance stage trims pairs to that end. Words tell more wherever a defect is a matter of words (a pronoun where a
name was): such flags say ``by_nature``, the others ``shortcut``.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pairwright.core.audit_result import SURFACES, Audit, AuditGroup, Flag, Score, Surface
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.config.sections import AuditConfig
from pairwright.core.identity import row_rng
from pairwright.core.records import PreferencePair
from pairwright.pipelines.audit.pair_differences import FEATURES, Features
from pairwright.pipelines.audit.probe import Probe, Specimen, require_probe

_SHORTER: Mapping[Surface, str] = {"length": "what was cut shortens the text", "words": "what was cut is not there"}
_LONGER: Mapping[Surface, str] = {"length": "what was added lengthens the text", "words": "what was added is there"}
BY_NATURE: Mapping[str, Mapping[Surface, str]] = {
    "missing_entity": _SHORTER,
    "constraint_cut": _SHORTER,
    "over_edited": _LONGER,
    "redundant": {**_LONGER, "punctuation": "repeating takes another clause"},
    "unchanged": {"length": "the bare query is shorter", "words": "the bare query keeps its pronouns"},
    "ambiguous_reference": {"length": "pronouns are short", "words": "a pronoun stands where a name stood"},
    "answer_instead": {"punctuation": "an answer ends without a question mark", "words": "an answer asks nothing"},
    "wrong_register": {
        "length": "style takes words",
        "punctuation": "style shows in punctuation",
        "words": "style is a matter of words",
    },
    "intent_changed": {"words": "another question word or a negation"},
}
"""Defects that must show on a surface, and why. Whatever else shows is an artefact of how the texts were made."""


def audit_pairs(pairs: Iterable[PreferencePair], config: BuildConfig, settings: AuditConfig) -> Audit:
    """Draw pairs by seed and probe them: all, per language, per defect and what made the worse text. The order of the rows is no matter.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    require_probe()
    total, specimens = _drawn(pairs, settings.sample, config.seed)
    features = {surface: [_of(make, one) for one in specimens] for surface, make in FEATURES.items()}
    groups = [
        _group(kind, name, rejected_by, specimens, places, features, config, settings)
        for kind, name, rejected_by, places in _groups(specimens)
    ]
    flagged = [group.model_copy(update={"flags": tuple(_flags(group, groups, config))}) for group in groups]
    return Audit(
        pairs=total,
        audited=len(specimens),
        folds=settings.folds,
        max_auc=config.pairing.max_surface_auc,
        groups=tuple(flagged),
    )


def _of(make: Callable[..., Features], one: Specimen) -> Features:
    return make(one.language, one.chosen, one.rejected)


def _drawn(pairs: Iterable[PreferencePair], size: int, seed: int) -> tuple[int, list[Specimen]]:
    """How many pairs there are, and the ``size`` ones that a seeded draw ranks first, in the order of their ids."""
    total = 0
    heap: list[tuple[float, str, Specimen]] = []
    for pair in pairs:
        total += 1
        specimen = Specimen(
            pair.task.dialogue,
            pair.task.language,
            pair.rejected.defect,
            pair.rejected.rejected_by,
            pair.chosen.text,
            pair.rejected.text,
        )
        # Negated: the heap's top is the highest draw of those kept, which is the next to go.
        item = (-row_rng(seed, "audit.draw", pair.id).random(), pair.id, specimen)
        if len(heap) < size:
            heapq.heappush(heap, item)
        else:
            heapq.heappushpop(heap, item)
    return total, [specimen for _, _, specimen in sorted(heap, key=lambda item: item[1])]


def _groups(specimens: Sequence[Specimen]) -> Iterator[tuple[str, str, str, list[int]]]:
    """Kind, name and ``rejected_by`` of every group with the places of its specimens; all pairs come first."""
    yield "all", "all", "", list(range(len(specimens)))
    kinds: dict[tuple[str, str, str], list[int]] = {}
    for at, one in enumerate(specimens):
        kinds.setdefault(("language", one.language, ""), []).append(at)
        kinds.setdefault(("defect", one.defect, one.rejected_by), []).append(at)
    for (kind, name, rejected_by), places in sorted(
        kinds.items(), key=lambda item: (item[0][0] != "language", item[0])
    ):
        yield kind, name, rejected_by, places


def _group(
    kind: str,
    name: str,
    rejected_by: str,
    specimens: Sequence[Specimen],
    places: Sequence[int],
    features: Mapping[Surface, Sequence[Features]],
    config: BuildConfig,
    settings: AuditConfig,
) -> AuditGroup:
    members = [specimens[at] for at in places]
    dialogues = [one.dialogue for one in members]
    scores: dict[Surface, Score] = {}
    for surface in SURFACES:
        probe = Probe.of(dialogues, [features[surface][at] for at in places])
        key = f"{kind}/{name}/{rejected_by}/{surface}"
        if score := probe.score(settings.folds, settings.resamples, config.seed, key):
            scores[surface] = score
    longer = sum(len(one.chosen) > len(one.rejected) for one in members)
    return AuditGroup.model_validate(
        {
            "kind": kind,
            "name": name,
            # Its name in files, which stayed when the attribute was renamed.
            "maker": rejected_by,
            "pairs": len(members),
            "dialogues": len(set(dialogues)),
            "chosen_longer": round(longer / max(len(members), 1), 3),
            "scores": scores,
            "telling": probe.telling(),
        }
    )


def _flags(group: AuditGroup, groups: Sequence[AuditGroup], config: BuildConfig) -> Iterator[Flag]:
    """One flag per surface that tells more than it may."""
    most = config.pairing.max_surface_auc
    for surface in group.scores:
        if not _tells(group, surface, most):
            continue
        if group.kind == "defect":
            reason = BY_NATURE.get(group.name, {}).get(surface)
            yield _flag(surface, bool(reason), reason or "an artefact of how the texts were made")
        elif surface != "words":
            yield _flag(surface, False, "too few pairs pull the other way: add perturbers, or raise pairing.max_loss")
        else:
            told = {one.name for one in groups if one.kind == "defect" and _tells(one, surface, most)}
            strange = sorted(name for name in told if surface not in BY_NATURE.get(name, {}))
            named = ", ".join(strange or sorted(told))
            yield _flag(surface, bool(told) and not strange, f"words tell {named}" if named else "words tell the sides")


def _flag(surface: Surface, by_nature: bool, note: str) -> Flag:
    return Flag(surface=surface, verdict="by_nature" if by_nature else "shortcut", note=note)


def _tells(group: AuditGroup, surface: Surface, most: float) -> bool:
    return surface in group.scores and group.scores[surface].auc > most
