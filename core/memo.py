"""A cache of what was found in texts, with a limit on its size.

The limit counts the length of the texts and not their number: what a parser finds in a long turn takes as much memory as
what it finds in a hundred queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Generic, TypeVar

Found = TypeVar("Found")


class BoundedMemo(Generic[Found]):
    """What was found in the texts seen last, ``characters`` of them together; when these are full, all is forgotten."""

    def __init__(self, characters: int) -> None:
        self._characters = self._left = characters
        self._found: dict[str, Found] = {}

    def get(self, text: str) -> Found | None:
        """What is known of the text."""
        return self._found.get(text)

    def keep(self, fresh: Mapping[str, Found]) -> None:
        """Remember what was found in texts that are not known yet."""
        length = sum(map(len, fresh))
        if length > self._characters:
            return
        if length > self._left:
            self.clear()
        self._found.update(fresh)
        self._left -= length

    def clear(self) -> None:
        """Forget everything."""
        self._found.clear()
        self._left = self._characters


class Memoised(Generic[Found]):
    """A function of a text that is called again and again with the same ones."""

    def __init__(self, find: Callable[[str], Found], characters: int) -> None:
        self._find = find
        # In a tuple each, because a function may find None.
        self._memory = BoundedMemo[tuple[Found]](characters)
        update_wrapper(self, find)

    def __call__(self, text: str) -> Found:
        """What the function finds, now or the last time."""
        known = self._memory.get(text)
        if known is None:
            known = (self._find(text),)
            self._memory.keep({text: known})
        return known[0]

    def cache_clear(self) -> None:
        """Forget everything."""
        self._memory.clear()


def memoised(characters: int) -> Callable[[Callable[[str], Found]], Memoised[Found]]:
    """Decorator: remember what a function finds in the texts seen last, ``characters`` of them together."""
    return lambda find: Memoised(find, characters)
