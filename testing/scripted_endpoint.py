"""An endpoint without a network, for tests of one component."""

from __future__ import annotations

import json

from pairwright.core.llm.client import request_hash
from pairwright.core.llm.wire import read_answer, request_body
from pairwright.core.requests import Answer, ChatRequest
from pairwright.testing.fault_server import Behaviour, FaultServer


class Scripted:
    """A behaviour as an :class:`~pairwright.core.requests.Ask`: what a judge, gate or improver gets to send requests with.

    ``asked`` has the requests and ``answers`` what came back, in their order. With ``logprobs`` the endpoint gives
    log-probabilities to requests that ask for them, else it ignores that, as some servers do. A refusal, or an answer cut
    at ``max_tokens``, reaches the component as it would over HTTP, in ``Answer.finish_reason``::

        endpoint = Scripted(always_first)
        verdicts = asyncio.run(judge.judge(task, [candidate], endpoint))
        assert endpoint.requests == 1
    """

    def __init__(self, behaviour: Behaviour, logprobs: bool = False) -> None:
        self._server = FaultServer(answer=behaviour)
        self._logprobs = logprobs
        self.asked: list[ChatRequest] = []
        self.answers: list[Answer] = []

    @property
    def requests(self) -> int:
        """How often it was asked."""
        return len(self.asked)

    async def __call__(self, endpoint: str, request: ChatRequest) -> Answer:
        """The answer to ``request``, whatever the endpoint is called."""
        self.asked.append(request)
        known = request if self._logprobs else request.model_copy(update={"top_logprobs": None})
        body = request_body(known, endpoint)
        received = self._server.completion(json.loads(body))
        answer = read_answer(received, request_hash(endpoint, known), len(body), 0.0, endpoint)
        self.answers.append(answer)
        return answer
