"""The keys that wrap the keys of sealed papers: in a file of their own, never in the database.

The file holds 32-byte keys one after the other, the current one first. It is made at the first start, readable by its
owner only, and read anew at each use, so that a server need not be started again when a command has changed the key.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from qbank.kernel.refused import Refused

KEY_BYTES = 32
NONCE_BYTES = 12
DAMAGED = Refused("pack_damaged", "这份密封内容解密失败：它或它的密钥被改动过，不能使用。请立即报告系统管理员，改用备用卷。")


@dataclass(frozen=True)
class Keyring:
    """The keys in ``file``."""

    file: Path

    def ensure(self) -> None:
        """Make the file with a first key unless it is there. Raises ValueError for a file that holds no keys."""
        if not self.file.exists():
            self._write([secrets.token_bytes(KEY_BYTES)], replace=False)
        self._keys()

    def names(self) -> list[str]:
        """What the keys are called in the database: a hash tells nothing of a random key."""
        return [name_of(key) for key in self._keys()]

    def wrap(self, key: bytes, about: bytes) -> tuple[str, bytes]:
        """``key`` under the current key, bound to ``about``; with the name of the current key."""
        self.ensure()
        current = self._keys()[0]
        return name_of(current), seal_bytes(current, key, about)

    def unwrap(self, name: str, wrapped: bytes, about: bytes) -> bytes:
        """The key that was wrapped under the key called ``name``. Refuses a key that is not here, and changed bytes."""
        held = {name_of(key): key for key in self._keys()} if self.file.exists() else {}
        if name not in held:
            raise Refused("no_paper_key", f"本机的密钥文件 {self.file.name} 里没有封存这份试卷的密钥（{name}）。"
                          "请系统管理员从备份恢复这个文件，再重试。")
        return open_bytes(held[name], wrapped, about)

    def add(self) -> str:
        """A new current key; the former ones stay behind it, so that what they wrap can still be read. Its name."""
        self.ensure()
        made = secrets.token_bytes(KEY_BYTES)
        self._write([made, *self._keys()])
        return name_of(made)

    def drop(self, name: str) -> None:
        """Forget a key that wraps nothing any more; the current key stays."""
        current, *former = self._keys()
        self._write([current, *(key for key in former if name_of(key) != name)])

    def _keys(self) -> list[bytes]:
        content = self.file.read_bytes()
        if not content or len(content) % KEY_BYTES:
            raise ValueError(f"{self.file} does not hold 32-byte keys; restore it from the backup")
        return [content[start:start + KEY_BYTES] for start in range(0, len(content), KEY_BYTES)]

    def _write(self, keys: list[bytes], *, replace: bool = True) -> None:
        """All or nothing: a file beside it takes its place. Of two processes that begin at once one makes the first key."""
        beside = self.file.with_name(f"{self.file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(b"".join(keys))
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            beside.replace(self.file)
            return
        try:
            os.link(beside, self.file)
        except FileExistsError:
            pass  # the other process was first
        except OSError:  # a file system without links: some sticks and shares
            if not self.file.exists():
                beside.replace(self.file)
        finally:
            beside.unlink(missing_ok=True)


def name_of(key: bytes) -> str:
    return hashlib.sha256(b"examroom/paper-key" + key).hexdigest()[:16]


def seal_bytes(key: bytes, content: bytes, about: bytes) -> bytes:
    """AES-256-GCM under a fresh nonce, which stands in front; ``about`` is covered, not held."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, about)


def open_bytes(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """What :func:`seal_bytes` sealed. Refuses other bytes, another key, and what is about something else."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        raise Refused(DAMAGED.code, DAMAGED.sentence) from error
