"""HTTP for the ``openai`` package over one aiohttp session.

``openai`` takes any httpx client as ``http_client``. This one does what ``openai.DefaultAioHttpClient`` does without the
layers of httpx that a chat completion never needs (cookies, auth flows, event hooks, streams), at half their CPU.
"""

from __future__ import annotations

import urllib.request
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2

MOST_BYTES = 64 * 1024 * 1024  # of a response
_READ = ("Retry-After", "Date", "Location")  # the only headers that anybody reads


class Connections(httpx2.AsyncClient):
    """At most ``most`` connections, kept open, to the server of ``base_url``; honours the proxies of the environment.

    Create it inside a running event loop. There is no time-out here: the caller has one around the whole request.
    """

    def __init__(self, base_url: str, most: int) -> None:
        # The parent's own transport is never used.
        super().__init__(transport=httpx2.AsyncBaseTransport(), trust_env=False)
        connector = aiohttp.TCPConnector(limit=most, ssl=httpx2.create_ssl_context())
        # Not trust_env: it would also look into ~/.netrc, and argue about the Authorization header.
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        self._proxy = proxy_for(base_url)
        self._urls: dict[str, httpx2.URL] = {}

    def build_request(
        self, method: str, url: Any, *, content: Any = None, headers: Any = None, **_: Any
    ) -> httpx2.Request:
        """The request with exactly these headers."""
        # The same few URLs again and again: each is parsed once.
        if url not in self._urls:
            self._urls[url] = httpx2.URL(url)
        return httpx2.Request(method, self._urls[url], headers=headers, content=content)

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """Send ``request`` and read the whole response.

        Raises:
            httpx2.TransportError: no connection, or it broke; its cause says how.
        """
        url = str(request.url)
        try:
            async with self._session.request(
                request.method,
                url,
                data=request.content,
                headers=request.headers,
                proxy=self._proxy,
                # Dialogues go to the address that the build file names, and to no other.
                allow_redirects=False,
            ) as response:
                body = await _read(response)
        except aiohttp.ClientError as exc:
            raise httpx2.TransportError("no connection, or it broke") from exc
        # httpx refuses headers that are not ASCII, and a server may send anything.
        headers = {name: ascii(response.headers[name])[1:-1] for name in _READ if name in response.headers}
        return httpx2.Response(response.status, headers=headers, content=body, request=request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()
        await super().aclose()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut off after :data:`MOST_BYTES`: what is longer is no answer, and must not fill the memory."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            break
    return bytes(body[:MOST_BYTES])


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for a URL (``HTTPS_PROXY``, ``NO_PROXY`` and so on), if any."""
    parts = urlsplit(base_url)
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return urllib.request.getproxies().get(parts.scheme)
