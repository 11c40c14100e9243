"""The build file as strangers may see it: without what concerns only the machine that it ran on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pairwright.exports.rows.provenance import public_path

_ONLY_HERE = ("output", "ledger")
# A whole value that is a path from the root of a disk, from a home folder or out of the working folder. With spaces in it, it
# may as well be a sentence that begins with a slash: then its first folder must be one that disks have.
_ROOTS = "home|Users|Volumes|root|mnt|media|data|srv|var|opt|tmp|private|work|workspace"
_FOLDERS = re.compile(
    rf"(?:file:/*)?(?:/[^/\s]+){{2,}}/?|(?:file:/*)?/(?:{_ROOTS})/[^\n]+"
    r"|[A-Za-z]:[\\/][^\n]+|\\\\[^\n]+|~/[^\n]+|(?:\.\./)+[^\n]*"
)

# Wherever it stands in a text: the name of whoever works there.
_NAME = r"[^/\\\s\"'{}()<>，。；、]+"
_HOMES = re.compile(
    rf"(?:file:/*)?(?<![\w.])(?:/mnt/[a-z]|/export|/var|/usr)?/(?:home|(?i:users))/{_NAME}"
    rf"|(?:file:/*)?(?<![A-Za-z])[A-Za-z]:[\\/](?i:users)[\\/]{_NAME}|\\\\wsl[$.]\w*\\[^\\\s]+\\home\\{_NAME}"
    r"|(?<![\w~/])~[A-Za-z_][\w.-]*(?=/)"
)


def for_strangers(config: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a build file without its own folders, the folders of other files, and whatever in a URL may be a key."""
    public: dict[str, Any] = public_settings({key: value for key, value in config.items() if key not in _ONLY_HERE})
    return public


def public_settings(settings: Any) -> Any:
    """The same of a part of it, all of whose keys stay."""
    home = str(Path.home())
    return _public(settings, home if len(Path(home).parts) > 1 else "")


def without_homes(text: str) -> str:
    """``text`` without the names of home folders, which are those of people."""
    return _HOMES.sub("~", text)


def _public(value: Any, home: str) -> Any:
    if isinstance(value, Mapping):
        return {_text(str(key), home): _public(inner, home) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_public(inner, home) for inner in value]
    return _text(value, home) if isinstance(value, str) else value


def _text(text: str, home: str) -> str:
    if "://" in text and not text.startswith("file:") and not re.search(r"\s", text):
        return _bare(text)
    if without_homes(text).rstrip("/\\") == "~":
        return "~"
    if _FOLDERS.fullmatch(text):
        return public_path(text, text)
    return without_homes(text.replace(home, "~") if home else text)


def _bare(url: str) -> str:
    """The URL without what stands beside its host: user, password, query, fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
