"""What no text of a build file may hold, wherever it stands: keys of services, and characters that no text has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pairwright.core.config.yaml_file import DEEPEST
from pairwright.core.secret_patterns import hide_keys, holds_key

_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_SECRET = "looks like a key or a password: put it into an environment variable, and name that (endpoints: api_key_env)"


def find_unfit(content: object) -> list[str]:
    """One ``path: problem`` per text that may not stand in a build file. The texts themselves are never shown."""
    return [f"{hide_keys(path)}: {problem}" for path, problem in _problems(content, "", 0)]


def _problems(part: object, path: str, level: int) -> Iterator[tuple[str, str]]:
    if level > DEEPEST:
        yield path, f"more than {DEEPEST} levels, one inside of the other"
    elif isinstance(part, Mapping):
        for key, value in part.items():
            # A key of a mapping is shown in every message about what stands under it.
            here = "" if isinstance(key, str) and _problem_of(key) else str(key)
            if isinstance(key, str) and (problem := _problem_of(key)):
                yield path or "a key", f"the name of a key {problem}"
            yield from _problems(value, f"{path}.{here}" if path else here, level + 1)
    elif isinstance(part, list | tuple):
        for at, value in enumerate(part):
            yield from _problems(value, f"{path}.{at}", level + 1)
    elif isinstance(part, str) and (problem := _problem_of(part)):
        yield path, problem


def _problem_of(text: str) -> str | None:
    if found := _NO_TEXT.search(text):
        return f"holds the character U+{ord(found[0]):04X}: remove it"
    return _SECRET if holds_key(text) else None
