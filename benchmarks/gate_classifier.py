"""What a small trained classifier makes of "does it need a rewrite?", beside the rules.

    python benchmarks/gate_classifier.py [DATA_DIR...] [--limit 1000] [--only-signals]

A logistic regression (scikit-learn) over the rules' signals, lengths, the overlap with the history, and words and word
pairs (Chinese: characters and pairs). *Within*: five folds over the dialogues of one data set. *Across*: trained on all
other data sets of the language, each with the same weight, and both answers with the same weight within each; CANARD is
only tested on, because its licence would bind what is trained on it. Queries without history need no rewrite and are
decided without a model. Prints one Markdown table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from examples_data import EXAMPLES, NAMES, gold_files
from gate_on_gold import Case, Outcome, figures, read_cases, table
from numpy.typing import NDArray

from pairwright.core.language.text_analysis import normalise
from pairwright.core.records import GateDecision
from pairwright.judges.gates.rules import decision
from pairwright.judges.gates.signals import signals

TESTED_ONLY = ("canard",)
FOLDS = 5
Flags = NDArray[np.bool_]


class Data(NamedTuple):
    """The cases of one set, those with history as features."""

    name: str
    cases: Sequence[Case]
    told: Sequence[Case]
    features: Sequence[dict[str, float]]

    @property
    def needs(self) -> Flags:
        return np.array([case.needs for case in self.told])


def features_of(case: Case, *, words: bool) -> dict[str, float]:
    """What the classifier sees of one case."""
    task = case.task
    found = {f"signal {signal.name}": 1.0 for signal in signals(task.query, task.history, task.language)}
    query = _units(task.query, task.language)
    last = set(_units(task.history[-1].content, task.language))
    known = {unit for turn in task.history for unit in _units(turn.content, task.language)}
    found |= {
        "length": min(len(query), 30) / 30,
        "in the last turn": _share(query, last),
        "in the history": _share(query, known),
        "turns": min(len(task.history), 10) / 10,
        "after an answer": float(task.history[-1].role == "assistant"),
    }
    if words:
        pairs = [f"{one} {other}" for one, other in pairwise(query)]
        found |= {f"word {unit}": 0.5 for unit in (*query, *pairs)}
    return found


def _units(text: str, language: str) -> list[str]:
    plain = normalise(text)
    return list(plain.replace(" ", "")) if language == "zh" else plain.split()


def _share(units: Sequence[str], known: set[str]) -> float:
    return sum(unit in known for unit in units) / max(1, len(units))


def read(name: str, path: Path, limit: int, *, words: bool) -> Data:
    cases = read_cases(path, limit, strict=False)
    told = [case for case in cases if case.task.history]
    return Data(name, cases, told, [features_of(case, words=words) for case in told])


def trained(parts: Sequence[tuple[Sequence[dict[str, float]], Flags]]) -> Callable[[Sequence[dict[str, float]]], Flags]:
    """A predictor trained on the parts: each weighs the same, and within it both answers do."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    counts: dict[str, int] = {}
    for features, _ in parts:
        for one in features:
            for name in one:
                counts[name] = counts.get(name, 0) + 1
    kept = {name for name, count in counts.items() if count > 2}
    vectors = DictVectorizer()
    inputs = vectors.fit_transform([_only(one, kept) for features, _ in parts for one in features])
    weights = np.concatenate([_balanced(needs) for _, needs in parts])
    model = LogisticRegression(C=0.5, max_iter=3000)
    model.fit(
        inputs, np.concatenate([needs for _, needs in parts]), sample_weight=weights * len(weights) / weights.sum()
    )

    def predict(features: Sequence[dict[str, float]]) -> Flags:
        answers: Any = model.predict(vectors.transform([_only(one, kept) for one in features]))
        return np.asarray(answers, dtype=bool)

    return predict


def _only(features: dict[str, float], kept: set[str]) -> dict[str, float]:
    return {name: value for name, value in features.items() if name in kept}


def _balanced(needs: Flags) -> NDArray[np.float64]:
    return np.where(needs, 1 / max(1, needs.sum()), 1 / max(1, (~needs).sum())).astype(float)


def within(data: Data) -> Flags:
    """Predictions for each case by a model that saw none of its dialogue."""
    from sklearn.model_selection import StratifiedGroupKFold

    needs, found = data.needs, np.zeros(len(data.told), dtype=bool)
    groups = [case.task.dialogue for case in data.told]
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(needs, needs, groups):
        predict = trained([([data.features[at] for at in train], needs[train])])
        found[test] = predict([data.features[at] for at in test])
    return found


def across(data: Data, others: Sequence[Data]) -> Flags | None:
    """Predictions by a model that saw the other data sets of the language."""
    language = data.cases[0].task.language
    parts = [
        (other.features, other.needs)
        for other in others
        if other.name not in (data.name, *TESTED_ONLY) and other.cases[0].task.language == language
    ]
    return trained(parts)(data.features) if parts else None


def outcomes(data: Data, said: Flags) -> list[Outcome]:
    """All cases: those without history need nothing."""
    answers = iter(said)
    return [
        Outcome(case, case.needs, answer, GateDecision(needs_rewrite=answer, method="rule"))
        for case in data.cases
        for answer in [bool(next(answers)) if case.task.history else False]
    ]


def rows(read_files: Sequence[Data]) -> Iterator[Sequence[object]]:
    yield ("data", "gate", "n", "balanced accuracy", "recall, %", "false edits, %")
    for data in read_files:
        rules = np.array([decision(case.task).needs_rewrite for case in data.told])
        systems = {"rules": rules, "classifier, within": within(data), "classifier, across": across(data, read_files)}
        for name, said in systems.items():
            if said is not None:
                yield (data.name, name, len(data.cases), *figures(outcomes(data, said)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="DATA_DIR", default=[EXAMPLES], help=f"with some of {NAMES}"
    )
    parser.add_argument("--limit", type=int, default=1000, help="rows per data set")
    parser.add_argument("--only-signals", action="store_true", help="leave the words out")
    arguments = parser.parse_args()
    # FollowUp has nine queries that need nothing among 800: nothing can be learnt from it, or told about it.
    found = [
        read(name, path, arguments.limit, words=not arguments.only_signals)
        for name, path in gold_files(arguments.folders).items()
        if name != "followup"
    ]
    table("Does it need a rewrite?", rows(found))


if __name__ == "__main__":
    main()
