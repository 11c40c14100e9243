"""JSON in models' answers: what may stand around it, and what is an error."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pairwright.core.identity import Row
from pairwright.core.prompts.fenced_json import json_text, parse_json


class Said(Row):
    number: int


@pytest.mark.parametrize(
    "answer",
    [
        "{}",
        " \r\n{}\n",
        "```json\n{}\n```",
        "```\n{}\n```",
        "```JSON \n{}\n  ```",
        "```json\r\n{}\r\n```\r\n",
        "```json {} ```",
        "```{}```",
        "\n\n```json\n\n{}\n\n```",
    ],
)
def test_json_is_found_bare_or_in_one_code_fence(answer: str) -> None:
    assert json_text(answer) == "{}"


@given(st.text())
@example("```")
@example("{} ```")
@example("a\r\nb")
def test_a_fence_with_or_without_a_tag_changes_nothing(inner: str) -> None:
    for fenced in (f"```json\n{inner}\n```", f"```json\r\n{inner}\r\n```\r\n"):
        assert json_text(fenced) == inner.strip()
    if not inner.strip().lower().startswith("json"):
        assert json_text(f"```\n{inner}\n```") == inner.strip()


@pytest.mark.parametrize("answer", ["```json\n{}", "```json\n{}\n``` I hope this helps.", "```", "```json\n{}\n``"])
def test_a_fence_that_is_not_closed_at_the_end_is_an_error(answer: str) -> None:
    with pytest.raises(ValueError, match="^the answer does not end with the code fence that it begins with$"):
        json_text(answer)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ('{"number": "1"}', "number: Input should be a valid integer"),
        ('{"number": 1, "more": 2}', "more: Extra inputs are not permitted"),
        ("```json\n{}\n```\n```json\n{}\n```", "Invalid JSON: .*"),
        ('Here it is: {"number": 1}', "Invalid JSON: .*"),
        ("", "Invalid JSON: .*"),
        ("```json\n```", "Invalid JSON: .*"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(answer: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        parse_json(answer, Said)
    assert parse_json('```\n{"number": 1}\n```', Said) == Said(number=1)
