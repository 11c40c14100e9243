"""Scores as expectations over the probabilities of the digit that a model wrote (G-Eval, EMNLP 2023)."""

from __future__ import annotations

import math
import re

from pairwright.core.requests import Answer


def expected_score(answer: Answer, key: str = "score", digits: str = "12345") -> float | None:
    """The mean of ``digits`` under the probabilities of the alternatives to the digit after ``"key":``.

    None without logprobs, or where no such digit is among the tokens.
    """
    text = "".join(token.token for token in answer.logprobs)
    matches = list(re.finditer(rf'"{key}"\s*:\s*([{digits}])', text))
    if not matches:
        return None
    # The last match is the answer: the explanation before it may quote the key.
    place, start = matches[-1].start(1), 0
    for token in answer.logprobs:
        if start <= place < start + len(token.token):
            before, after = token.token[: place - start], token.token[place - start + 1 :]
            return _expectation(token.top or {token.token: token.logprob}, before, after, set(digits))
        start += len(token.token)
    return None


def _expectation(top: dict[str, float], before: str, after: str, digits: set[str]) -> float | None:
    """Alternatives count where they differ from the token in the digit only."""
    weights = {
        int(digit): math.exp(logprob)
        for alternative, logprob in top.items()
        if alternative.startswith(before)
        and alternative.endswith(after)
        and (digit := alternative[len(before) : len(alternative) - len(after)]) in digits
    }
    total = sum(weights.values())
    return sum(score * weight for score, weight in weights.items()) / total if total else None
