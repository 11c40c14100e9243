"""The URL of an endpoint: what is wrong with one, and how one is shown."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from pairwright.core.secret_patterns import hide_keys

_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\\<>\"{}|^`\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?")
_CALLS = ("/chat/completions", "/completions")


def url_problem(url: str) -> str | None:
    """Why ``url`` is no base URL, in words that show nothing of it that may be secret; None if it is one."""
    if _UNSEEN.search(url):
        return "a space or another character that no URL has; write http://HOST:PORT/v1"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "no URL: the brackets or the characters of its host are wrong; write http://HOST:PORT/v1"
    if parts.scheme not in ("http", "https") or not url[len(parts.scheme) :].startswith("://"):
        return "expected a URL that begins with http:// or https://"
    if "@" in parts.netloc:
        return (
            "a user name or password in the URL; put the key into an environment variable and name that in api_key_env"
        )
    if re.search(r"[?#;]", url):
        return "a '?', '#' or ';' in the URL; it ends with the path, and a key belongs into an environment variable: api_key_env"
    return _host_problem(parts) or _path_problem(url, parts)


def is_url(path: str) -> bool:
    """Whether this is an address of the net rather than a file's path."""
    return re.match(r"(?i:[a-z][a-z0-9+.-]+)://", path) is not None


def shown_url(url: str) -> str:
    """``url`` without user, password, query and fragment, as it may stand in errors, logs and reports."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return hide_keys(f"{parts.scheme}://{host}{port}{parts.path}")


def _host_problem(parts: SplitResult) -> str | None:
    host = parts.hostname or ""
    try:
        port = parts.port
    except ValueError:
        return "the port of the URL must be a number from 1 to 65535"
    if port == 0 or parts.netloc.endswith(":"):
        return "the port of the URL must be a number from 1 to 65535"
    if not host:
        return "the URL has no host; write http://HOST:PORT/v1"
    numbers = ":" in host or (host.count(".") == 3 and host.replace(".", "").isdecimal())
    if numbers:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return "the host of the URL is no valid address"
    elif not _HOST.fullmatch(host) or len(host) > 253 or any(len(label) > 63 for label in host.split(".")):
        return "the host of the URL is no valid name"
    return None


def _path_problem(url: str, parts: SplitResult) -> str | None:
    path = parts.path.rstrip("/").lower()
    for call in _CALLS:
        if path.endswith(call):
            base = shown_url(url.rstrip("/")[: -len(call)])
            return f"the URL ends before {call}, which is added to it; write {base}"
    return None
