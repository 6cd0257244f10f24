"""A file beside the database that holds some room back for a full disk, and tells other runs that this one writes."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from mempool.errors import StoreError


class Reserve:
    """Locked while it is open. On a full disk not even a DELETE works: giving this room back is what makes pruning possible."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        """Raises `StoreError` where another run holds it."""
        self._path = path
        self._size_bytes = size_bytes
        self._file = self._open()
        self.fill()

    @property
    def is_filled(self) -> bool:
        return os.fstat(self._file).st_size >= self._size_bytes

    def fill(self) -> None:
        """Take the room, where the disk has four times as much; otherwise go on without."""
        disk = os.fstatvfs(self._file)
        if disk.f_bavail * disk.f_frsize >= 4 * self._size_bytes and not self.is_filled:
            with suppress(OSError):
                os.posix_fallocate(self._file, 0, self._size_bytes)

    def release(self) -> None:
        """Give the room back."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _open(self) -> int:
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(file)
                name = self._path.with_suffix("")
                raise StoreError(f"{name} is being written by another run: end that one or name another file") from error
            if self._path.exists() and os.path.samestat(os.fstat(file), self._path.stat()):
                return file
            os.close(file)  # the former holder removed it between our open and our lock
