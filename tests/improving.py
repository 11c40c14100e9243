"""A judging model that improves answers, with every opinion that it holds given by the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pairwright.testing.behaviours import Body, texts_of

Grades = tuple[int, int, int]


@dataclass
class Opinions:
    """Answers by what is asked: grades of the three factors, its own text, which of two is better, whether one is good.

    ``own`` and ``better`` may be functions of the texts in the prompt. ``better`` gets the two texts and returns the
    better one, or None for equal; ``first`` and ``second`` name a place whatever stands there.
    """

    grades: Grades | Callable[[Mapping[str, str]], Grades] = (8, 8, 3)
    own: str | Callable[[Mapping[str, str]], str] = "When was Ada Lindqvist, the author, born?"
    better: str | Callable[[str, str], str | None] = "first"
    good: Callable[[str], bool] = lambda text: False

    def __call__(self, body: Body) -> str:
        if "response_format" not in body:
            return self.own if isinstance(self.own, str) else self.own(texts_of(body))
        asked: Mapping[str, Any] = body["response_format"]["json_schema"]["schema"]["properties"]
        return json.dumps(self._said(asked, texts_of(body)), ensure_ascii=False)

    def _said(self, asked: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
        own = self.own if isinstance(self.own, str) else self.own(texts)
        if "reasonableness" in asked:
            grades = self.grades if isinstance(self.grades, tuple) else self.grades(texts)
            return {"explanation": "It is so.", **dict(zip(list(asked)[1:], grades, strict=True))}
        if "better" in asked:
            return {"explanation": "I compared them.", "better": self._place(texts["first_text"], texts["second_text"])}
        if "is_good" in asked:
            good = self.good(texts.get("rewrite") or texts["answer"])
            return {"reason": "Rule two.", "is_good": good, "improved_answer": "" if good else own}
        return {"analysis": "She is Ada Lindqvist.", "needs_rewrite": True, "rewrite": own}

    def _place(self, first: str, second: str) -> str:
        if isinstance(self.better, str):
            return self.better
        return {first: "first", second: "second", None: "equal"}[self.better(first, second)]
