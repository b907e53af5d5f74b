"""Where the bytes of uploaded files lie: a folder (this machine's, or one that all machines share), or a bucket that speaks S3.

A file lies under the hash of its content and never changes, so a copy from the bucket kept on this machine is always right:
what is fetched is compared with its name once. Copies are thrown away after a day, so that what was destroyed on purpose does
not live on in the folders of other machines.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from qbank.kernel.buckets import Bucket
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from qbank.kernel.times import utc_now

CHUNK = 2**20
KEPT_SECONDS = 24 * 3600
STALE_SECONDS = 23 * 3600  # fetched anew before it is thrown away: nobody reads what vanishes
SWEPT_EVERY = 3600
COMING = "coming-"
COPIES = "media-copies"  # beside the database
HASH = re.compile(r"[0-9a-f]{64}")


class Store:
    """A folder of files under their hashes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, sha256: str) -> Path:
        """Where content with this hash lies on this machine, or would lie."""
        return self.folder / sha256[:2] / sha256

    def find(self, sha256: str) -> Path | None:
        """The file, to be read now; None when there is none."""
        place = self.place(sha256)
        return place if place.is_file() else None

    @contextmanager
    def coming(self) -> Iterator[tuple[IO[bytes], Path]]:
        """A file to write into; what was not kept is gone at the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=COMING)
        try:
            with os.fdopen(handle, "w+b") as stream:
                yield stream, Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, stream: IO[bytes], coming: Path, sha256: str) -> None:
        """Take in what was written beside: whole, under its hash, on the disk. Without a row it is harmless."""
        stream.flush()
        os.fsync(stream.fileno())
        place = self.place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.name == "nt":
            stream.close()  # an open file cannot be renamed there
        coming.replace(place)

    def remove(self, sha256: str) -> None:
        self.place(sha256).unlink(missing_ok=True)

    @contextmanager
    def reading(self, sha256: str) -> Iterator[IO[bytes]]:
        """The bytes as they are, not compared; no copy stays. Raises FileNotFoundError."""
        with self.place(sha256).open("rb") as stream:
            yield stream

    def held(self) -> dict[str, float]:
        """The hashes of everything that is kept, and of when it is (seconds since 1970)."""
        return {file.name: file.stat().st_mtime for file in self.folder.glob("??/*") if HASH.fullmatch(file.name)}

    @property
    def told(self) -> str:
        return str(self.folder)

    def try_out(self) -> None:
        """Write, read and take away. Raises OSError or Refused where one of them does not work."""
        content = b"examroom"
        name = hashlib.sha256(content).hexdigest()
        known = self.find(name) is not None
        with self.coming() as (stream, coming):
            stream.write(content)
            self.keep(stream, coming, name)
        found = self.find(name)
        if found is None or found.read_bytes() != content:
            raise OSError("what was written was not found again")
        if not known:
            self.remove(name)


class BucketStore(Store):
    """A bucket; ``folder`` holds copies of what was asked for lately."""

    def __init__(self, bucket: Bucket, folder: Path) -> None:
        super().__init__(folder)
        self.bucket = bucket
        self._swept_at = 0.0
        self._sweeping = threading.Lock()

    def find(self, sha256: str) -> Path | None:
        self._sweep()
        place = self.place(sha256)
        with suppress(FileNotFoundError):
            if utc_now().timestamp() - place.stat().st_mtime < STALE_SECONDS:
                return place
        return place if self._fetch(sha256) else None

    def keep(self, stream: IO[bytes], coming: Path, sha256: str) -> None:
        stream.flush()
        stream.seek(0)
        self.bucket.put(sha256, stream)  # before the copy: what only this machine has is not kept
        super().keep(stream, coming, sha256)

    def remove(self, sha256: str) -> None:
        self.bucket.remove(sha256)
        super().remove(sha256)

    @contextmanager
    def reading(self, sha256: str) -> Iterator[IO[bytes]]:
        with self.coming() as (stream, _):
            if not self._copy(sha256, stream):
                raise FileNotFoundError(sha256)
            stream.seek(0)
            yield stream

    def held(self) -> dict[str, float]:
        return {name: modified for name, modified in self.bucket.names() if HASH.fullmatch(name)}

    @property
    def told(self) -> str:
        return self.bucket.told

    def _copy(self, sha256: str, stream: IO[bytes]) -> str:
        """The hash of what was there; empty for nothing."""
        digest = hashlib.sha256()
        for piece in self.bucket.pieces(sha256):
            digest.update(piece)
            stream.write(piece)
        return digest.hexdigest() if stream.tell() else ""

    def _fetch(self, sha256: str) -> bool:
        with self.coming() as (stream, coming):
            found = self._copy(sha256, stream)
            if not found:
                return False
            if found != sha256:
                raise Refused("file_changed", "存储里的文件与登记的哈希不一致，可能已损坏或被改动，不能使用。请立即报告系统管理员，从备份恢复。")
            super().keep(stream, coming, sha256)
        return True

    def _sweep(self) -> None:
        """Once an hour, throw away copies of yesterday."""
        now = utc_now().timestamp()
        with self._sweeping:
            if now - self._swept_at < SWEPT_EVERY:
                return
            self._swept_at = now
        for file in self.folder.rglob("*"):
            with suppress(OSError):  # gone already, or open on Windows: the next time
                if file.is_file() and now - file.stat().st_mtime > KEPT_SECONDS:
                    file.unlink()


def of(settings: Settings, url: str | None = None) -> Store:
    """The store that the settings choose, or another one at ``url``."""
    url = settings.media_url if url is None else url
    if url.startswith("s3://"):
        return BucketStore(Bucket.at(url, settings.s3_endpoint, settings.s3_addressing), settings.folder / COPIES)
    return Store(Path(url) if url else settings.media)
