"""One endpoint over the ``openai`` package: bytes out, bytes or a :class:`Trouble` back.

The only module that imports ``openai`` and translates its exceptions. Bodies go through the package's own
``post`` as bytes: its response models cost two to three times as much CPU as everything else together. Time-outs are
one timer around the whole request, because a read time-out never ends a server that drips; it stands still while the
process does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

from pairwright.core.awake import AwakeTimeout
from pairwright.core.config.endpoint_urls import shown_url
from pairwright.core.llm.rate_limits import retry_after_seconds, unix_time
from pairwright.core.llm.wire import error_details, names_unknown_model, quotable
from pairwright.core.pages.printable import one_line

if TYPE_CHECKING:
    from openai._types import RequestOptions

_THROTTLED = (429, 503, 529)  # 529: overloaded, in Anthropic's terms
_SHORTEST_KEY = 12
_RETRIED = (408, 409, 429)  # those, and all from 500 on, that the openai package would try again


# Given and not left out, because the package copies its defaults deeply for each request.
_OPTIONS: RequestOptions = {"headers": {}, "params": {}, "max_retries": 0, "timeout": None}


class Trouble(NamedTuple):
    """Why a request got no answer.

    ``retry``: another try may help. ``fatal``: no request to this endpoint can work, ``hint`` says what to do.
    ``billed``: the server may have worked, and may charge for it. ``throttled``: it asked for fewer requests;
    ``retry_after`` is in seconds.
    """

    kind: str
    message: str
    retry: bool = False
    billed: bool = False
    throttled: bool = False
    retry_after: float | None = None
    fatal: bool = False
    hint: str = ""


class Transport:
    """An open connection pool to the chat completions of one server. Create it inside a running event loop."""

    def __init__(
        self, name: str, base_url: str, key: str, key_env: str | None, timeout: float, connections: int
    ) -> None:
        import openai

        from pairwright.core.llm.connections import Connections

        self.name = name
        self._url = f"{base_url.rstrip('/')}/chat/completions"  # absolute: cheaper than merging URLs per request
        self._shown_url = shown_url(base_url)
        self._key = key if key_env else None
        self._key_env = key_env
        self._timeout = timeout
        self._api_error = openai.APIError
        self._status_error = openai.APIStatusError
        # No retries of its own: each try is written into the ledger before it goes out.
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=key, max_retries=0, timeout=None, http_client=Connections(base_url, connections)
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def send(self, body: bytes) -> bytes | Trouble:
        """POST ``body``; the response's body if its status is 200."""
        try:
            async with AwakeTimeout(self._timeout):
                received = await self._client.post(self._url, cast_to=bytes, content=body, options=_OPTIONS)
            return received if self._hides_key(received) else self._key_told
        except TimeoutError:
            return Trouble("timeout", f"{self._at}: no answer in {self._timeout:g} s", retry=True, billed=True)
        except self._status_error as exc:
            return self._refused(exc.status_code, exc.response.content, exc.response.headers, body)
        except self._api_error as exc:
            # openai wraps the error of the HTTP client, and that wraps aiohttp's, which says what happened.
            reason = type(exc.__cause__.__cause__ or exc.__cause__).__name__ if exc.__cause__ else type(exc).__name__
            return Trouble("connection", f"{self._at}: no connection, or it broke ({reason})", retry=True, billed=True)

    def _hides_key(self, received: bytes) -> bool:
        """Whether a body, which goes into files, does not quote the key; a short one may be a word of an answer."""
        return self._key is None or len(self._key) < _SHORTEST_KEY or self._key.encode() not in received

    @property
    def _key_told(self) -> Trouble:
        return Trouble("malformed_body", f"{self._at}: status 200 with the key in the body", retry=True, billed=True)

    @property
    def _at(self) -> str:
        return f"endpoint {self.name!r} ({self._shown_url})"

    def _refused(self, status: int, content: bytes, headers: Mapping[str, str], asked: bytes) -> Trouble:
        if 300 <= status < 400:
            return self._redirected(status, headers.get("location", ""), asked)
        code, said = error_details(content)
        if status in (401, 403):
            return self._fatal(status, "it refused the key", self._key_hint)
        if status == 402 or code == "insufficient_quota":
            return self._fatal(
                status,
                "the account has no credit left",
                "Top it up and run the same command again: nothing paid for is lost.",
            )
        if status in (400, 404, 422) and names_unknown_model(code, said):
            return self._fatal(status, "it does not know the model", f"Correct endpoints.{self.name}.model.")
        text = f"{self._at}: HTTP {status}. {quotable(said, self._key, asked)}".rstrip()
        if status in _RETRIED or status >= 500:
            kind = "rate_limited" if status == 429 else f"http_{status}"
            # By the server's own clock: ours may be wrong, or be set anew at any time.
            now = unix_time(headers.get("date")) or time.time()
            wait = retry_after_seconds(headers.get("retry-after"), now)
            return Trouble(kind, text, retry=True, throttled=status in _THROTTLED, retry_after=wait)
        return Trouble(f"http_{status}", text)

    def _redirected(self, status: int, location: str, asked: bytes) -> Trouble:
        try:
            there = urljoin(self._url, location)
        except ValueError:  # no address at all
            there = ""
        shown = quotable(one_line(shown_url(there)), self._key, asked) or "another address"
        return self._fatal(
            status,
            f"it redirects to {shown}, and requests go to no other address than that of the build file",
            f"If you trust that address, write it as endpoints.{self.name}.base_url, without /chat/completions.",
        )

    @property
    def _key_hint(self) -> str:
        if self._key_env:
            return f"Set the environment variable {self._key_env} to a key that is valid for this server and may use the model."
        return f"Name the environment variable that holds its key: endpoints.{self.name}.api_key_env."

    def _fatal(self, status: int, what: str, hint: str) -> Trouble:
        return Trouble(f"http_{status}", f"{self._at}: {what} (HTTP {status}).", fatal=True, hint=hint)
