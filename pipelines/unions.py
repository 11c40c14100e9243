"""Connected components over numbered things."""

from __future__ import annotations


class Unions:
    """Disjoint sets over ``0 .. size - 1``; the root of a set is its smallest member, in whatever order sets are joined."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, item: int) -> int:
        """The smallest member of the set that ``item`` is in."""
        parents = self._parents
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    def join(self, left: int, right: int) -> None:
        """Make one set of the two that ``left`` and ``right`` are in."""
        left, right = self.root(left), self.root(right)
        self._parents[max(left, right)] = min(left, right)
