"""Which licences can stand in one data set."""

from __future__ import annotations

import pytest

from pairwright.exports.publishing.licences import combined, kind_of


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("MIT", "permissive"),
        ("Apache-2.0", "permissive"),
        ("apache 2.0", "permissive"),
        ("CC-BY-4.0", "attribution"),
        ("CC BY-SA 4.0", "share-alike"),
        ("GPL-3.0-only", "share-alike"),
        ("CC-BY-NC-SA-4.0", "non-commercial"),
        ("CC-BY-ND-4.0", "no-derivatives"),
        ("CC-BY-NC-ND-4.0", "no-derivatives"),
        ("", "unknown"),
        ("unknown", "unknown"),
        ("House rules", "unknown"),
        ("committee", "unknown"),
    ],
)
def test_licences_are_told_apart(licence: str, kind: str) -> None:
    assert kind_of(licence) == kind


@pytest.mark.parametrize(
    "licences",
    [
        {"a": "MIT", "b": "Apache-2.0", "c": "CC-BY-4.0"},
        {"a": "MIT", "b": "CC-BY-SA-4.0", "c": "cc-by-sa-4.0"},
        {"a": "MIT", "b": "CC-BY-NC-4.0"},
        {"logs": "unknown", "more": "unknown"},
        {},
    ],
)
def test_licences_that_go_together_have_no_problem(licences: dict[str, str]) -> None:
    assert combined(licences).problems == ()


@pytest.mark.parametrize(
    ("licences", "named"),
    [
        ({"canard": "CC-BY-SA-4.0", "logs": "unknown"}, ["canard (CC-BY-SA-4.0)", "logs (unknown)"]),
        ({"canard": "CC-BY-SA-4.0", "chat": "CC-BY-NC-4.0"}, ["share-alike canard", "non-commercial chat"]),
        ({"a": "CC-BY-SA-4.0", "b": "GPL-3.0"}, ["different share-alike", "a (CC-BY-SA-4.0), b (GPL-3.0)"]),
        ({"a": "MIT", "b": "CC-BY-ND-4.0"}, ["b (CC-BY-ND-4.0) forbids"]),
        ({"a": "CC-BY-NC-4.0", "b": ""}, ["b (none given)"]),
    ],
)
def test_licences_that_exclude_each_other_are_named_with_their_sources(
    licences: dict[str, str], named: list[str]
) -> None:
    (problem,) = combined(licences).problems
    assert all(part in problem for part in named)


def test_terms_are_those_of_every_kind_met() -> None:
    assert combined({"a": "MIT", "b": "CC-BY-SA-4.0"}).terms() == [
        "permissive: keep the copyright notices of the sources",
        "share-alike: pass on what is made from it only under the same licence",
    ]
