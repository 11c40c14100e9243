"""Connected components over numbered things."""

from __future__ import annotations


class DisjointSet:
    """Disjoint sets of numbers; the root of a set is its smallest member, in whatever order sets are joined.

    Only numbers that were joined to a smaller one take memory.
    """

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def root(self, item: int) -> int:
        """The smallest member of the set that ``item`` is in."""
        parents = self._parents
        while (parent := parents.get(item, item)) != item:
            # Halves the path on the way, so that the next look-up is short.
            parents[item] = parents.get(parent, parent)
            item = parents[item]
        return item

    def join(self, left: int, right: int) -> None:
        """Make one set of the two that ``left`` and ``right`` are in."""
        left, right = self.root(left), self.root(right)
        if left != right:
            self._parents[max(left, right)] = min(left, right)

    def merged(self) -> list[int]:
        """All numbers that are not the root of their set, ascending."""
        return sorted(self._parents)
