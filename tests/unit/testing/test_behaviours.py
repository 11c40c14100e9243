"""The behaviours that the tests of judges do not go through themselves."""

from __future__ import annotations

import asyncio
import json

from pairwright.core.requests import ChatRequest, Message
from pairwright.testing import Scripted, behaviours

SCHEMA = {"type": "object", "properties": {"why": {"type": "string"}, "stars": {"type": "integer"}}}


REQUEST = ChatRequest(messages=(Message(role="user", content="3 of 5?"),), json_schema=SCHEMA, top_logprobs=2)


def test_a_schema_of_ones_own_is_answered_with_ones_own_values() -> None:
    answer = asyncio.run(Scripted(behaviours.answering(stars=4, other=1))("any", REQUEST))
    assert json.loads(answer.text) == {"why": "It is so.", "stars": 4}


def test_an_endpoint_keeps_what_it_was_asked_and_what_it_said() -> None:
    endpoint = Scripted(lambda body: f"{len(body['messages'])} message to {body['model']}")
    answer = asyncio.run(endpoint("grader", REQUEST))
    assert answer.text == "1 message to grader"
    assert (endpoint.requests, endpoint.asked, endpoint.answers) == (1, [REQUEST], [answer])


def test_log_probabilities_come_only_from_an_endpoint_that_has_them() -> None:
    without, having = (Scripted(behaviours.always_first, logprobs=has) for has in (False, True))
    assert not asyncio.run(without("any", REQUEST)).logprobs
    assert asyncio.run(having("any", REQUEST)).logprobs
