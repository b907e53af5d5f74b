"""A file system in memory that knows what was synced (FUSE): a power cut leaves only that, whole or torn.

``python -m tests.drills.power_disk MOUNTPOINT IMAGE [SEED]`` mounts what IMAGE holds. Making the directory ``.cut`` below the
mount point is the power cut: IMAGE becomes what a disk would hold after it, and every operation fails from then on.
With a SEED each write that was not synced yet survives with probability one half (a disk keeps no promises about those).
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import stat
import sys
import time
from pathlib import Path
from typing import Any

from fuse import FUSE, FuseOSError, Operations


class File:
    """What programs see, and what is safe. ``pending`` lies between the two, in order."""

    def __init__(self, content: bytes = b"") -> None:
        self.seen = bytearray(content)
        self.safe: bytearray | None = bytearray(content) if content else None  # None: a power cut leaves no such file
        self.pending: list[tuple[int, bytes | None]] = []  # (offset, bytes), or (length, None): cut to a length

    def write(self, offset: int, content: bytes) -> None:
        _put(self.seen, offset, content)
        self.pending.append((offset, content))

    def truncate(self, length: int) -> None:
        _cut(self.seen, length)
        self.pending.append((length, None))

    def sync(self, chance: random.Random | None = None) -> None:
        """Everything pending becomes safe; with ``chance`` half of it."""
        if self.safe is None:
            self.safe = bytearray()
        for place, content in self.pending:
            if chance is None or chance.random() < 0.5:
                if content is None:
                    _cut(self.safe, place)
                else:
                    _put(self.safe, place, content)
        self.pending.clear()


def _put(into: bytearray, offset: int, content: bytes) -> None:
    if len(into) < offset:
        into.extend(bytes(offset - len(into)))
    into[offset:offset + len(content)] = content


def _cut(what: bytearray, length: int) -> None:
    del what[length:]
    what.extend(bytes(length - len(what)))


class Disk(Operations):  # type: ignore[misc]  # fusepy carries no types
    """One flat directory: a database and its log lie in one."""

    def __init__(self, image: Path, seed: str = "") -> None:
        self.image = image
        self.chance = random.Random(seed) if seed else None
        self.files = {f"/{file.name}": File(file.read_bytes()) for file in image.iterdir()}
        self.dead = False

    def __call__(self, operation: str, path: str, *arguments: Any) -> Any:
        if self.dead and operation not in {"init", "destroy", "getattr"}:
            raise FuseOSError(errno.EIO)
        return super().__call__(operation, path, *arguments)

    def _file(self, path: str) -> File:
        if path not in self.files:
            raise FuseOSError(errno.ENOENT)
        return self.files[path]

    def mkdir(self, path: str, mode: int) -> None:
        if path != "/.cut":
            raise FuseOSError(errno.EPERM)
        self.dead = True
        shutil.rmtree(self.image)
        self.image.mkdir()
        for name, file in self.files.items():
            if self.chance is not None and (file.safe is not None or self.chance.random() < 0.5):
                file.sync(self.chance)
            if file.safe is not None:
                (self.image / name[1:]).write_bytes(file.safe)

    def getattr(self, path: str, handle: int | None = None) -> dict[str, Any]:
        now = time.time()
        common = {"st_uid": os.getuid(), "st_gid": os.getgid(), "st_ctime": now, "st_mtime": now, "st_atime": now}
        if path == "/":
            return {**common, "st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        return {**common, "st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": len(self._file(path).seen)}

    def readdir(self, path: str, handle: int) -> list[str]:
        return [".", "..", *(name[1:] for name in self.files)]

    def create(self, path: str, mode: int, info: Any = None) -> int:
        self.files[path] = File()
        return 0

    def open(self, path: str, flags: int) -> int:
        self._file(path)
        return 0

    def read(self, path: str, size: int, offset: int, handle: int) -> bytes:
        return bytes(self._file(path).seen[offset:offset + size])

    def write(self, path: str, content: bytes, offset: int, handle: int) -> int:
        self._file(path).write(offset, content)
        return len(content)

    def truncate(self, path: str, length: int, handle: int | None = None) -> None:
        self._file(path).truncate(length)

    def fsync(self, path: str, only_content: int, handle: int) -> None:
        self._file(path).sync()

    def unlink(self, path: str) -> None:
        self._file(path)
        del self.files[path]

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)

    def chmod(self, path: str, mode: int) -> None:
        self._file(path)

    def chown(self, path: str, user: int, group: int) -> None:
        self._file(path)

    def utimens(self, path: str, times: Any = None) -> None:
        self._file(path)

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": 4096, "f_blocks": 1 << 20, "f_bavail": 1 << 19, "f_bfree": 1 << 19}


if __name__ == "__main__":
    FUSE(Disk(Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""), sys.argv[1], foreground=True, nothreads=True,
         big_writes=True, nonempty=True)
