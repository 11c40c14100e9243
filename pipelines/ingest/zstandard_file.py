"""Zstandard files, read as a stream."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 2 * 1024  # compressed bytes read at once: they may unpack to thirty thousand times as much


class ZstandardFile(io.RawIOBase):
    """The content of a ``.zst`` file of one or several frames.

    ``zstandard``'s own reader ends quietly where a file was cut off; this one raises ``EOFError``, as gzip does.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._rest = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` as far as data is ready; 0 at the end."""
        while not self._ready:
            compressed = self._rest or self._file.read(_CHUNK)
            if not compressed:
                if self._frame is not None:
                    raise EOFError("the last frame is cut off")
                return 0
            frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(frame.decompress(compressed))
            self._rest = frame.unused_data
            self._frame = None if frame.eof else frame
        target = memoryview(buffer)
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
