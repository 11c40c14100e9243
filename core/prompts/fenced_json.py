"""JSON in what a model answers: bare, or in one code fence."""

from __future__ import annotations

import re
from typing import TypeVar

from pydantic import ValidationError

from pairwright.core.identity import Row

A = TypeVar("A", bound=Row)

_FENCE = re.compile(r"```(?:json\b)?(.*)```", re.DOTALL | re.IGNORECASE)


def json_text(text: str) -> str:
    """The JSON text of an answer, without white space and without the one code fence that may stand around it.

    The fence may be tagged ``json`` and may begin and end in the lines of the JSON. What stands in it is not looked at.

    Raises:
        ValueError: the fence is not closed, or something stands behind it.
    """
    text = text.strip()
    if not text.startswith("```"):
        return text
    fenced = _FENCE.fullmatch(text)
    if fenced is None:
        raise ValueError("the answer does not end with the code fence that it begins with")
    return fenced[1].strip()


def parse_json(text: str, form: type[A]) -> A:
    """Read an answer: one JSON object of the ``form``, at most wrapped in white space or one code fence.

    Raises:
        ValueError: what is wrong with it, in one line.
    """
    try:
        # Strict: "yes" and 1 are no booleans, and "3" is no grade.
        return form.model_validate_json(json_text(text), strict=True)
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ValueError(f"{where}: {problem['msg']}" if where else problem["msg"]) from exc
