from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwright.core.llm.wire import error_details, prompt_token_bound, quotable, read_answer, request_body, well_formed
from pairwright.core.requests import ChatRequest, Message


@given(st.text(st.characters(codec=None), max_size=50))
def test_every_text_becomes_a_body_that_is_utf8_json(text: str) -> None:
    body = request_body(ChatRequest(messages=(Message(role="user", content=text),)), "m")
    assert json.loads(body.decode())["messages"][0]["content"] == well_formed(text)


def test_halves_of_an_emoji_are_joined_and_lone_ones_replaced() -> None:
    assert well_formed("\ud83d\ude00 \ud83d 你好") == "😀 � 你好"


def test_a_prompt_has_no_more_tokens_than_its_bound() -> None:
    assert (
        prompt_token_bound(request_body(ChatRequest(messages=(Message(role="user", content="它" * 100),)), "m")) > 300
    )


def a_body(**choice: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": "5"}} | choice]}).encode()


def test_logprobs_are_finite_and_the_likelier_of_equal_tokens_is_kept() -> None:
    alternatives = [
        {"token": "5", "logprob": -0.1},
        {"token": "�", "logprob": -3},
        {"token": "�", "logprob": -4},
        {"token": "1", "logprob": None},
        {"token": "2", "logprob": float("-inf")},
    ]
    body = a_body(logprobs={"content": [{"token": "5", "logprob": -0.1, "top_logprobs": alternatives}]})
    (token,) = read_answer(body, "h", 30, 0.0, "m").logprobs
    assert token.top == {"5": -0.1, "�": -3.0, "1": -9999.0, "2": -9999.0}


@pytest.mark.parametrize(
    "logprobs", [None, {}, {"content": None}, {"content": [{"token": "5", "logprob": -1, "top_logprobs": None}]}]
)
def test_missing_logprobs_are_no_trouble(logprobs: Any) -> None:
    assert read_answer(a_body(logprobs=logprobs), "h", 30, 0.0, "m").text == "5"


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["choices", "message", "content", "usage", "x"]), inner)
        ),
    )
)
def test_any_json_is_an_answer_or_a_value_error(data: Any) -> None:
    try:
        outcome = read_answer(json.dumps(data).encode(), "h", 30, 0.0, "m").request_hash
    except ValueError as exc:
        outcome = str(exc)
    assert outcome in ("h", "a JSON body without an answer in choices[0].message")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": {"code": "model_not_found", "message": "no"}}', ("model_not_found", "no")),
        (b'{"error": {"type": "invalid_request_error", "message": "no"}}', ("invalid_request_error", "no")),
        (b'{"detail": "Not Found"}', ("", "Not Found")),
        (b'{"error": "overloaded"}', ("", "overloaded")),
        (b'{"object": "error", "message": "bad", "code": 40301}', ("40301", "bad")),
        (b'{"detail": [{"loc": ["body"], "input": "the prompt"}]}', ("", "")),
        (b"<html>", ("", "")),
        (b"[]", ("", "")),
        (b"\xff\xfe", ("", "")),
    ],
)
def test_errors_of_many_servers_are_read(body: bytes, expected: tuple[str, str]) -> None:
    assert error_details(body) == expected


def test_what_a_server_says_is_quoted_unless_it_quotes_the_request_or_the_key() -> None:
    asked = request_body(ChatRequest(messages=(Message(role="user", content="my private question to you"),)), "m")
    assert quotable("max_tokens is\n too large", None, asked) == "max_tokens is too large"
    assert quotable("bad key the-key-itself", "the-key-itself", asked) == "bad key ***"
    assert quotable("bad key sk-abc***wxyz", None, asked) == "bad key ***"
    assert quotable("no host THE-KEY-itself.example", "the-key-itself", asked) == "no host ***.example"
    for part in ("the-key-itsel", "t h e - k e y - i t s e l f"):
        assert quotable(f"bad key {part}", "the-key-itself", asked) == ""
    assert quotable("no", "nothing-known", asked) == "no"
    assert quotable("cannot parse 'my private question'", None, asked) == ""
