"""The keys of identity numbers: where they are kept, and how one takes the place of another while servers run.

``identity.key`` holds 32-byte keys one after the other, the current one first; there is more than one only while a key is
being replaced, and ``identity.next`` holds one that several hosts must have before it becomes current. They are read anew
at each use. ``codes.key`` appears with the first replacement and keeps what is derived from the first key and stands on
paper: the key of exam codes, and that of the ids of issued credentials.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from qbank.kernel.identity import IdentityCipher, look_up_key

KEY_BYTES = 32


def derived_from(key: bytes) -> bytes:
    """The key of exam codes and the key of what outlives a change, one after the other; neither tells the key itself."""
    return hashlib.sha256(b"exam code" + key).digest() + look_up_key(key)


@dataclass(frozen=True)
class IdentityKeys:
    """The keys as they stand: the current one first, then those that are being replaced; and what is derived from the first ever."""

    keys: tuple[bytes, ...]
    derived: bytes

    @classmethod
    def read(cls, file: Path, derived_file: Path) -> IdentityKeys:
        """Raises ValueError for files that hold no keys."""
        content = file.read_bytes()
        if not content or len(content) % KEY_BYTES:
            raise ValueError(f"{file} does not hold 32-byte keys; restore it from the backup")
        keys = tuple(content[start:start + KEY_BYTES] for start in range(0, len(content), KEY_BYTES))
        derived = derived_in(derived_file) or derived_from(keys[-1])
        coming = next_in(file)
        return cls((*keys, coming) if coming else keys, derived)

    def cipher(self) -> IdentityCipher:
        return IdentityCipher(*self.keys, lasting=self.derived[KEY_BYTES:])

    @property
    def code_key(self) -> bytes:
        return self.derived[:KEY_BYTES]


def derived_in(file: Path) -> bytes:
    """What ``codes.key`` holds, empty before there is one. Raises ValueError for one of another length."""
    if not file.exists():
        return b""
    content = file.read_bytes()
    if len(content) != 2 * KEY_BYTES:
        raise ValueError(f"{file} does not hold two 32-byte keys; restore it from the backup")
    return content


def next_in(file: Path) -> bytes:
    """The key that is to take the place of those in ``file``, empty for none."""
    beside = file.with_suffix(".next")
    return beside.read_bytes()[:KEY_BYTES] if beside.exists() else b""


def name_of(key: bytes) -> str:
    """What a key is called in the trail: a hash tells nothing of a random key."""
    return hashlib.sha256(b"examroom/identity-key" + key).hexdigest()[:16]


def write_whole(file: Path, content: bytes) -> None:
    """All or nothing, readable by its owner only: a file beside it takes its place."""
    beside = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
