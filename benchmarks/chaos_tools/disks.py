"""A small disk for the build folder, where this user may mount one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOM = "400m"


def mountable(folder: Path) -> bool:
    """Whether a disk can be mounted at ``folder``, which is empty."""
    if os.getuid() != 0 or not _mount("-t", "tmpfs", "-o", f"size={ROOM}", "chaos", str(folder)):
        return False
    unmount(folder)
    return True


def mount(folder: Path) -> None:
    """An empty disk with much room at ``folder``."""
    if not _mount("-t", "tmpfs", "-o", f"size={ROOM}", "chaos", str(folder)):
        raise SystemExit(f"cannot mount a disk at {folder}")


def unmount(folder: Path) -> None:
    """Take it away again, also while somebody still looks at it."""
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def leave(folder: Path, kibibytes: int) -> None:
    """Make the disk so small that about as many KiB are free."""
    room = os.statvfs(folder)
    used = (room.f_blocks - room.f_bfree) * room.f_frsize // 1024
    _mount("-o", f"remount,size={used + kibibytes + 4}k", str(folder))


def grow(folder: Path) -> None:
    """Give it much room, and let it be written."""
    _mount("-o", f"remount,rw,size={ROOM}", str(folder))


def protect(folder: Path) -> bool:
    """Let nobody write to it; false where something is being written."""
    return _mount("-o", "remount,ro", str(folder))


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
