"""A long stream sealed in pieces (AES-256-GCM): nothing can be changed, left out, swapped or cut off unseen.

The head names how the key is made: from a key file of 32 bytes, or from a passphrase by scrypt with a salt of its own.
Each piece is sealed under its number and whether it is the last one, and all of them under the head.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from qbank.kernel.refused import Refused

MAGIC = b"EXAMROOM SEALED 1\n"
PIECE = 1_000_000
KEY_BYTES = 32
TAG = 16
SHORTEST = 12  # characters of a passphrase
SCRYPT = {"n": 2**15, "r": 8, "p": 1}
MOST_HEAD = 10_000
WRONG_KEY = Refused("wrong_backup_key", "备份打不开：密钥或口令不对，或文件已损坏。请核对密钥文件和口令；若都正确，换用另一份备份。")


@dataclass(frozen=True)
class Secret:
    """What a stream is sealed with: a key, or a passphrase."""

    key: bytes = b""
    passphrase: str = ""

    @classmethod
    def of_file(cls, file: Path) -> Secret:
        """The key in ``file``: 64 hexadecimal digits. Refuses anything else."""
        try:
            key = bytes.fromhex(file.read_text("ascii").strip())
        except (OSError, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise Refused("bad_key_file", f"密钥文件 {file} 读不出 64 位十六进制的密钥。请用 examroom backup-key 生成，或换用正确的文件。")
        return cls(key=key)

    @classmethod
    def spoken(cls, passphrase: str) -> Secret:
        if len(passphrase) < SHORTEST:
            raise Refused("short_passphrase", f"备份口令至少 {SHORTEST} 个字符。")
        return cls(passphrase=passphrase)

    def new_head(self) -> dict[str, object]:
        return {"kdf": "none"} if self.key else {"kdf": "scrypt", "salt": os.urandom(16).hex(), **SCRYPT}

    def cipher(self, head: dict[str, object]) -> AESGCM:
        """The cipher of a stream with this head. Refuses a head of the other kind."""
        if head["kdf"] == "none" and self.key:
            return AESGCM(self.key)
        cost = {name: int(str(head.get(name, 0))) for name in SCRYPT}
        if head["kdf"] != "scrypt" or not self.passphrase or cost != SCRYPT:
            raise Refused(WRONG_KEY.code, WRONG_KEY.sentence)
        made = Scrypt(salt=bytes.fromhex(str(head["salt"])), length=KEY_BYTES, **cost)
        return AESGCM(made.derive(self.passphrase.encode()))


class SealingWriter(io.RawIOBase):
    """What is written goes sealed to ``target``; only ``close`` writes the last piece."""

    def __init__(self, target: IO[bytes], secret: Secret) -> None:
        self._target, self._held, self._number = target, bytearray(), 0
        about = secret.new_head()
        self._head = MAGIC + json.dumps(about).encode() + b"\n"
        self._salt = os.urandom(7)
        self._cipher = secret.cipher(about)
        target.write(self._head + self._salt)

    def writable(self) -> bool:
        return True

    def write(self, content: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        self._held += content
        while len(self._held) > PIECE:
            self._put(bytes(self._held[:PIECE]), last=False)
            del self._held[:PIECE]
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._put(bytes(self._held), last=True)
        super().close()

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._salt, self._number, last), piece, self._head))
        self._number += 1


class OpeningReader(io.RawIOBase):
    """The opened content of a sealed stream. Refuses at the first piece that is not what was sealed."""

    def __init__(self, source: IO[bytes], secret: Secret) -> None:
        self._source, self._held, self._number, self._over = source, b"", 0, False
        magic = source.read(len(MAGIC))
        line = source.readline(MOST_HEAD)
        try:
            head = json.loads(line) if magic == MAGIC else None
        except ValueError:
            head = None
        if not isinstance(head, dict) or "kdf" not in head:
            raise Refused("no_backup", "这个文件不是本系统的加密备份，或开头已损坏。")
        self._head = magic + line
        self._cipher = secret.cipher(head)
        self._salt = source.read(7)
        self._next = source.read(PIECE + TAG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._held and not self._over:
            self._open_piece()
        taken = min(len(buffer), len(self._held))
        buffer[:taken] = self._held[:taken]
        self._held = self._held[taken:]
        return taken

    def _open_piece(self) -> None:
        piece, self._next = self._next, self._source.read(PIECE + TAG)
        last = not self._next
        try:
            self._held = self._cipher.decrypt(_nonce(self._salt, self._number, last), piece, self._head)
        except (InvalidTag, ValueError) as error:
            raise Refused(WRONG_KEY.code, WRONG_KEY.sentence) from error
        self._number, self._over = self._number + 1, last


def _nonce(salt: bytes, number: int, last: bool) -> bytes:
    return salt + number.to_bytes(4, "big") + bytes([last])
