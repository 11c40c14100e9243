"""What a compressed file unpacks to, watched: a small file must not become an endless one."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

from pairwright.core.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_ALWAYS = 256 * 1024 * 1024  # bytes that any file may unpack to
_MOST_TIMES = 300  # of its size; dialogues unpack to 3 to 20 times


class Unpacked(io.RawIOBase):
    """``content``, the unpacked form of what is read from ``packed``; ``where`` names it in errors."""

    def __init__(self, content: io.RawIOBase, packed: IO[bytes], where: str) -> None:
        self._content = content
        self._packed = packed
        self._where = where
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` as far as data is ready; 0 at the end.

        Raises:
            SourceError: the file unpacks to more than 300 times what was read of it, and to more than 256 MiB.
        """
        size = self._content.readinto(buffer) or 0
        self._size += size
        if self._size > _ALWAYS and self._size > _MOST_TIMES * self._packed.tell():
            raise SourceError(
                f"{self._where}: unpacks to more than {_MOST_TIMES} times its size",
                "No dialogues do that. If it is meant to, unpack it and read the file that comes out.",
            )
        return size

    def close(self) -> None:
        self._content.close()
        self._packed.close()
        super().close()
