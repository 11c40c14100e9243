"""The probe: a logistic regression that tells chosen from rejected, cross-validated over dialogues.

It is the Bradley-Terry model on the difference of the two answers' features, which is what a reward model that reads
only the answers could learn. No dialogue is on both sides of a fold, so a pair is never scored by what its siblings
taught. scikit-learn is imported here and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pairwright.core.audit_result import Score, Telling
from pairwright.core.errors import ConfigError
from pairwright.core.extras import install_line
from pairwright.core.identity import row_rng
from pairwright.core.records import Language
from pairwright.core.statistics import group_indices, percentile_interval
from pairwright.pipelines.audit.pair_differences import Features, is_shown
from pairwright.pipelines.pairing.surface import ranked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST_PAIRS = 40  # a group of fewer pairs has no score
_LEAST_USES = 3  # features of fewer pairs teach nothing that could hold elsewhere
_LEAST_DIALOGUES = 5  # a feature is shown only when it occurs in at least so many dialogues
_SHOWN = 5  # features that are shown of a group
_CHUNK = 100  # resamples weighed at once; the weights of all may be too large for memory


class Specimen(NamedTuple):
    """A pair as the audit sees it: the two answers, and what it is grouped by."""

    dialogue: str
    language: Language
    defect: str
    rejected_by: str
    chosen: str
    rejected: str


def require_probe() -> None:
    """Check that the audit can run, before anything is paid for.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    if find_spec("sklearn") is None:
        raise ConfigError(
            ["audit: the shortcut audit needs scikit-learn, which is not installed"],
            f"{install_line('audit')}, or take 'audit' out of the build file.",
        )


class Probe(NamedTuple):
    """The pairs of one group and their features; row ``i`` of ``matrix`` (pairs, features) is chosen minus rejected."""

    dialogues: Sequence[str]
    matrix: Any
    names: Sequence[str]

    @classmethod
    def of(cls, dialogues: Sequence[str], features: Sequence[Features]) -> Probe:
        """Lay out the features that at least three pairs have."""
        from sklearn.feature_extraction import DictVectorizer

        uses = Counter(name for one in features for name in one)
        vectorizer = DictVectorizer()
        matrix = vectorizer.fit_transform(
            [{name: value for name, value in one.items() if uses[name] >= _LEAST_USES} for one in features]
        )
        return cls(dialogues, matrix, vectorizer.feature_names_)

    def score(self, folds: int, resamples: int, seed: int, name: str) -> Score | None:
        """AUC of the held-out scores with a cluster bootstrap over dialogues; None for too small a group."""
        if len(self.dialogues) < _LEAST_PAIRS or len(set(self.dialogues)) < 2 * folds:
            return None
        scores = self._held_out(folds, seed)
        order, clusters = ranked(scores), group_indices(self.dialogues)
        point = order.auc(np.ones((1, len(scores))))[0]
        rng = np.random.default_rng(row_rng(seed, "audit.bootstrap", name).getrandbits(64))
        found = []
        count = int(clusters.max()) + 1
        for start in range(0, resamples, _CHUNK):
            size = min(_CHUNK, resamples - start)
            # The numbers of each resample are shifted to a range of their own, so that one bincount counts all of them.
            draws = rng.integers(0, count, (size, count)) + np.arange(size)[:, None] * count
            weights = np.bincount(draws.ravel(), minlength=size * count).reshape(size, count)
            found.append(order.auc(weights[:, clusters]))
        low, high = percentile_interval(np.concatenate(found))
        return Score(auc=round(float(point), 3), low=round(low, 3), high=round(high, 3))

    def _held_out(self, folds: int, seed: int) -> Floats:
        names = sorted(set(self.dialogues), key=lambda name: (row_rng(seed, "audit.fold", name).random(), name))
        fold_of = {name: at % folds for at, name in enumerate(names)}
        fold = np.array([fold_of[name] for name in self.dialogues])
        scores = np.zeros(len(fold))
        for number in range(folds):
            model = _fitted(self.matrix[fold != number])
            scores[fold == number] = self.matrix[fold == number] @ model
        # Equal scores of two folds must stay equal, whatever the last bits of the arithmetic are.
        return np.round(scores, 6)

    def telling(self) -> tuple[Telling, ...]:
        """The features that give the sides away most: weight times how many pairs have them."""
        if not len(self.names) or len(self.dialogues) < _LEAST_PAIRS:
            return ()
        weights = _fitted(self.matrix)
        columns = self.matrix.tocsc()
        uses = np.diff(columns.indptr)
        strength = np.round(np.abs(weights) * uses / len(self.dialogues), 6)
        found: list[Telling] = []
        for at in sorted(range(len(strength)), key=lambda at: (-strength[at], self.names[at])):
            rows = columns.indices[columns.indptr[at] : columns.indptr[at + 1]]
            shown = is_shown(self.names[at]) and len(found) < _SHOWN
            if shown and len({self.dialogues[row] for row in rows}) >= _LEAST_DIALOGUES:
                side = "chosen" if weights[at] > 0 else "rejected"
                share = round(float(uses[at]) / len(self.dialogues), 3)
                found.append(Telling.model_validate({"feature": self.names[at], "side": side, "pairs": share}))
        return tuple(found)


def _fitted(matrix: Any) -> Floats:
    """Weights (features,) of the regression. Every second pair is shown swapped: the model needs both classes."""
    from sklearn.linear_model import LogisticRegression

    labels = np.where(np.arange(matrix.shape[0]) % 2 == 0, 1.0, -1.0)
    swapped = matrix.copy()
    swapped.data *= np.repeat(labels, np.diff(matrix.indptr))
    # No intercept: a swapped pair must get the opposite score.
    model = LogisticRegression(fit_intercept=False, solver="liblinear", random_state=0, max_iter=1000)
    model.fit(swapped, labels)
    return np.asarray(model.coef_[0])
