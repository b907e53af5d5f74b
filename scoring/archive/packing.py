"""Writing the file of an evidence pack, as a stream: the same bytes for the same content.

``manifest.json`` names every file in its order with its SHA-256 and is signed; ``SHA256SUMS`` says the same for
``sha256sum -c``. What reads a pack is ``scoring.archive.verifier``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from scoring.archive.verifier import MANIFEST, SIGNATURE, SUMS, listed_of, sums

FORMAT = 2
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the real times are in the manifest
CHUNK = 2**20
PACKED = (".pdf", ".png", ".jpg", ".mp4", ".docx", ".xlsx", ".sealed")  # compressed already
Sign = Callable[[bytes], Mapping[str, Any]]  # of the manifest: {"key": JSON Web Key, "signature": bytes}


def readable_json(value: Any) -> bytes:
    """JSON for people and programs: sorted keys, one line per value, Chinese as it is."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def line(value: Any) -> bytes:
    """One line of a ``.jsonl`` file."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


class PackWriter:
    """Writes files into a pack one by one and remembers their hashes. Only one is open at a time."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._zip = ZipFile(stream, "w")
        self._files: list[dict[str, Any]] = []
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """What broke off is closed as well; nobody keeps such a file."""
        self._zip.close()

    def add(self, name: str, content: bytes | Iterable[bytes]) -> None:
        """Write one file. Raises ValueError for a name that was written already."""
        if name in self._names:
            raise ValueError(f"{name} is in the pack already")
        self._names.add(name)
        digest, size = hashlib.sha256(), 0
        with self._zip.open(_entry(name), "w", force_zip64=True) as target:
            for chunk in (content,) if isinstance(content, bytes) else content:
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._files.append({"name": name, "sha256": digest.hexdigest(), "bytes": size})

    def finish(self, about: Mapping[str, Any], sign: Sign) -> bytes:
        """Write manifest, signature and sums. Returns the manifest."""
        manifest = readable_json({**about, "format": FORMAT, "files": self._files})
        signed = sign(manifest)
        self._zip.writestr(_entry(SUMS), sums(listed_of({"files": self._files})))
        self._zip.writestr(_entry(MANIFEST), manifest)
        told = base64.urlsafe_b64encode(signed["signature"]).rstrip(b"=").decode()
        self._zip.writestr(_entry(SIGNATURE), readable_json({"algorithm": "RS256", "key": signed["key"], "signature": told}))
        return manifest


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, EPOCH)
    entry.compress_type = ZIP_STORED if name.endswith(PACKED) else ZIP_DEFLATED
    entry.external_attr, entry.create_system = 0o644 << 16, 3
    return entry


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def digest_of(stream: IO[bytes]) -> str:
    """SHA-256 from where ``stream`` stands to its end."""
    digest = hashlib.sha256()
    for chunk in chunks(stream):
        digest.update(chunk)
    return digest.hexdigest()


def manifest_of(stream: IO[bytes]) -> dict[str, Any]:
    """The manifest of a pack, unchecked; {} when it cannot be read."""
    try:
        with ZipFile(stream) as pack:
            found = json.loads(pack.read(MANIFEST))
            listed_of(found)
    except Exception:  # whatever a damaged file brings about: the verifier says what is wrong with it
        return {}
    return dict(found)
