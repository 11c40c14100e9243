"""The shortcut audit catches what gives the rejected side away without the dialogue, and nothing else."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.audit_result import Audit
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.config.sections import AuditConfig
from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import write_json
from pairwright.core.records import Language, PreferencePair
from pairwright.pipelines.audit import probe
from pairwright.pipelines.audit.pair_differences import FEATURES
from pairwright.pipelines.audit.shortcut_audit import audit_pairs
from pairwright.pipelines.reporting.report import write_report
from pairwright.testing.factories import build_result, pair, rejected, task

NAMES: dict[Language, Sequence[str]] = {
    "en": ["Ada", "Bruno", "Celia", "Dora", "Emil", "Frida", "Gustav", "Hanna", "Ida", "Jonas"],
    "zh": ["林若溪", "周明", "何雨", "沈思远", "陆川", "秦瑶", "韩冬", "苏晴", "高远", "许诺"],
}
QUESTION: dict[Language, str] = {"en": "When was {} born in {}?", "zh": "{}是哪一年在{}出生的？"}
PLACES: dict[Language, Sequence[str]] = {"en": ["Rome", "Oslo", "Lyon"], "zh": ["苏州", "成都", "大理"]}


def swapped(
    count: int, spoil: Callable[[str, Language], str] = lambda text, language: text, **fields: Any
) -> list[PreferencePair]:
    """Pairs whose sides differ in a name alone, drawn alike for both: without the dialogue nobody can tell."""
    pairs = []
    for number in range(count):
        rng = random.Random(number)
        language: Language = "zh" if number % 2 else "en"
        right, wrong = rng.sample(NAMES[language], 2)
        place = rng.choice(PLACES[language])
        one = task(f"query {number}?", language=language, dialogue=f"dialogue {number // 2}")
        worse = spoil(QUESTION[language].format(wrong, place), language)
        pairs.append(
            pair(
                one,
                QUESTION[language].format(right, place),
                rejected(worse, **{"defect": "wrong_antecedent", **fields}),
            )
        )
    return pairs


def audited(pairs: Sequence[PreferencePair], seed: int = 0, **settings: Any) -> Audit:
    source = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}
    config = BuildConfig.model_validate({"name": "x", "output": "out", "sources": [source], "seed": seed})
    return audit_pairs(pairs, config, AuditConfig.model_validate({"resamples": 200, **settings}))


def test_sides_that_are_drawn_alike_cannot_be_told_apart() -> None:
    found = audited(swapped(600))
    for surface, score in found.overall.scores.items():
        assert score.low <= 0.55, surface
        assert score.auc <= 0.60, surface
        assert score.low <= score.auc <= score.high
    assert not found.overall.flags


def test_a_planted_mark_at_the_end_of_all_rejects_is_caught_and_named() -> None:
    found = audited(swapped(200, lambda text, language: text[:-1] + "。。"))
    assert found.overall.scores["punctuation"].auc > 0.95
    flags = {flag.surface: flag.verdict for flag in found.overall.flags}
    assert flags["punctuation"] == "shortcut"
    assert any("。。" in one.feature and one.side == "rejected" for one in found.overall.telling)
    (defect,) = [group for group in found.groups if group.kind == "defect"]
    assert {flag.verdict for flag in defect.flags if flag.surface == "punctuation"} == {"shortcut"}


def test_a_planted_mark_at_the_end_of_all_worse_answers_is_caught_too() -> None:
    pairs = [
        one.model_copy(update={"task": one.task.model_copy(update={"kind": "answer"})})
        for one in swapped(200, lambda text, language: text[:-1] + "。。", defect="unsupported_claim")
    ]
    found = audited(pairs)
    assert {flag.surface: flag.verdict for flag in found.overall.flags}["punctuation"] == "shortcut"
    assert any("。。" in one.feature and one.side == "rejected" for one in found.overall.telling)
    assert [group.name for group in found.groups if group.kind == "defect"] == ["unsupported_claim"]


def test_a_mark_in_one_language_shows_in_that_language() -> None:
    found = audited(swapped(300, lambda text, language: text + "。" if language == "zh" else text))
    scores = {group.name: group.scores for group in found.groups if group.kind == "language"}
    assert scores["zh"]["punctuation"].low > 0.9
    assert scores["en"]["punctuation"].auc < 0.6


def test_longer_rejects_are_caught_by_length_and_not_by_punctuation() -> None:
    found = audited(swapped(200, lambda text, language: f"so {text}" if language == "en" else f"那么{text}"))
    assert found.overall.scores["length"].auc > 0.6
    assert found.overall.scores["punctuation"].auc == 0.5
    assert found.overall.chosen_longer < 0.3


@pytest.mark.parametrize(("defect", "verdict"), [("missing_entity", "by_nature"), ("example_leak", "shortcut")])
def test_a_defect_that_must_show_is_told_from_one_that_must_not(defect: str, verdict: str) -> None:
    cut = audited(swapped(120, lambda text, language: text[:-6] + text[-1], defect=defect))
    (group,) = [group for group in cut.groups if group.kind == "defect"]
    assert {flag.surface: flag.verdict for flag in group.flags}["length"] == verdict
    overall = {flag.surface: flag.verdict for flag in cut.overall.flags}
    assert overall["length"] == "shortcut"  # over all pairs length must not tell, whatever the defects are
    assert overall["words"] == verdict


def test_groups_too_small_for_folds_have_no_score() -> None:
    found = audited([*swapped(100), *swapped(6, defect="rare")])
    rare = next(group for group in found.groups if group.name == "rare")
    assert (rare.pairs, rare.scores, rare.flags) == (6, {}, ())


def test_pairs_of_one_dialogue_never_teach_each_other() -> None:
    # Each dialogue has a word of its own that gives the sides away: known only to who has seen the dialogue.
    dialogues = [f"dialogue {number // 12}" for number in range(240)]
    found = probe.Probe.of(dialogues, [{f"word of {name}": 1.0} for name in dialogues]).score(5, 200, 0, "own words")
    assert found is not None
    assert found.auc == 0.5


def test_the_audit_is_the_same_for_any_order_and_again(tmp_path: Path) -> None:
    pairs = swapped(150, lambda text, language: text.replace("？", "。"))
    first = audited(pairs, sample=100)
    shuffled = list(pairs)
    random.Random(3).shuffle(shuffled)
    assert audited(shuffled, sample=100) == first
    assert (first.pairs, first.audited) == (150, 100)
    assert audited(pairs, seed=1, sample=100) != first


@pytest.mark.parametrize("surface", list(FEATURES))
@pytest.mark.parametrize(
    ("language", "one", "two"),
    [
        ("en", "Who is “it”, then?", "Who is Ada"),
        ("zh", "《玻璃果园》是谁写的？", "那个是谁写的。。"),
        ("en", "", "🙂 x"),
    ],
)
def test_swapping_the_sides_flips_every_sign(surface: str, language: Language, one: str, two: str) -> None:
    make = FEATURES[surface]  # type: ignore[index]
    there, back = make(language, one, two), make(language, two, one)
    assert {name: -value for name, value in there.items()} == dict(back)


def test_without_scikit_learn_the_build_file_is_refused_with_the_command_that_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "find_spec", lambda name: None if name == "sklearn" else importlib.util.find_spec(name))
    with pytest.raises(ConfigError) as caught:
        probe.require_probe()
    assert "pip install 'scikit-learn>=" in caught.value.hint


def test_the_report_shows_the_audit_of_each_group_and_the_shortcuts(tmp_path: Path) -> None:
    pairs = swapped(120, lambda text, language: text[:-1] + "。。")
    result = build_result(tmp_path, pairs=pairs)
    assert result.audit() is None
    write_report(result, tmp_path / "plain.md")
    assert "Shortcut audit" not in (tmp_path / "plain.md").read_text()
    write_json(result.rows / "audit.json", audited(pairs).model_dump(mode="json"))
    write_report(result, tmp_path / "report.md")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| wrong_antecedent | entity_deletion | 120 |" in text
    assert "punctuation: shortcut" in text
    assert r"“。。\$” rejected 100%" in text
    assert "| no_rewrite_share | 20.0% to 30.0% | 0.0% | no: see docs/pairing.md |" in text
