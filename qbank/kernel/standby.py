"""A second machine with a copy of a room's database (SQLite), at most a second or two old.

The primary's feed takes a consistent picture of the committed database and sends the blocks that changed since the last
one; the standby keeps them in a transaction of its own, so that its copy is always one whole picture. Everything on the
wire is sealed with the token that both machines hold (AES-256-GCM, bound to the request's random number), so plain HTTP
in a computer room is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from qbank.kernel import fencing
from qbank.kernel.refused import Refused

BLOCK = 16_384
DATABASE = "examroom.sqlite3"
COPY = "standby.sqlite3"
TOKEN = "standby.token"  # noqa: S105  # the name of a file
FILES_AT_ONCE = 8_000_000  # bytes in one answer
NOT_SHIPPED = {"epoch", "superseded", TOKEN}
FOLDERS_NOT_SHIPPED = ("media-copies/", "backups/", "taking-")  # large, and the standby is one itself


def token_of(folder: Path) -> bytes:
    """The secret of both machines, made at the first start of the feed."""
    file = folder / TOKEN
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(os.urandom(32).hex())
    return bytes.fromhex(file.read_text("ascii").strip())


def proof(token: bytes, nonce: str, body: bytes) -> str:
    return hmac.new(token, nonce.encode() + body, hashlib.sha256).hexdigest()


def sealed(token: bytes, nonce: str, told: dict[str, Any], parts: list[bytes]) -> bytes:
    head = json.dumps(told).encode()
    salt = os.urandom(12)
    return salt + AESGCM(token).encrypt(salt, b"".join((len(head).to_bytes(4, "big"), head, *parts)), nonce.encode())


def opened(token: bytes, nonce: str, content: bytes) -> tuple[dict[str, Any], memoryview]:
    """What was told and the bytes behind it. Raises Refused for what was not sealed with this token for this request."""
    try:
        plain = memoryview(AESGCM(token).decrypt(content[:12], content[12:], nonce.encode()))
    except InvalidTag as error:
        raise Refused("standby_token", "主服务器的回答无法解密：两台机器的口令文件（standby.token）不一致。") from error
    end = 4 + int.from_bytes(plain[:4], "big")
    return json.loads(bytes(plain[4:end])), plain[end:]


@dataclass
class Primary:
    """The feed of the primary as the standby sees it."""

    address: str
    token: bytes
    seconds: float = 10.0

    def ask(self, path: str, **told: Any) -> tuple[dict[str, Any], memoryview]:
        """Raises OSError when it does not answer."""
        nonce, body = os.urandom(16).hex(), json.dumps(told).encode()
        request = urllib.request.Request(self.address.rstrip("/") + path, body, {  # noqa: S310  # the operator's own address
            "X-Nonce": nonce, "X-Proof": proof(self.token, nonce, path.encode() + body)})
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:  # noqa: S310  # as above
                return opened(self.token, nonce, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                sentence = error.read().decode("utf-8", "replace")
            raise Refused("standby_feed", f"主服务器拒绝了请求：{sentence}") from error


class Copy:
    """The standby's copy of the database, one whole picture at any time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.digests = Digests()
        self.connection = sqlite3.connect(folder / COPY, isolation_level=None)
        self.connection.executescript("""
            PRAGMA journal_mode = WAL;
            CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, content BLOB NOT NULL);
            CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);""")

    def close(self) -> None:
        self.connection.close()

    @property
    def state(self) -> dict[str, str]:
        return dict(self.connection.execute("SELECT name, value FROM state"))

    def follow(self, primary: Primary) -> dict[str, Any]:
        """Fetch what is new. Refuses a primary of an older epoch: its database is not the one that counts."""
        state = self.state
        told, content = primary.ask("/pull", have=state.get("version", ""), files=self._files())
        if told["epoch"] < int(state.get("epoch", "0")):
            raise Refused("standby_epoch", "对方是已被接替的旧主服务器，不能从它复制。")
        offset = self._take(told, content)
        for name, length in told["files"]:
            self._keep(name, bytes(content[offset:offset + length]))
            offset += length
        return told

    def _take(self, told: dict[str, Any], content: memoryview) -> int:
        offset = 0
        with self.connection as transaction:
            transaction.execute("BEGIN IMMEDIATE")
            if told["whole"]:
                transaction.execute("DELETE FROM blocks")
            for number in told["blocks"]:
                length = min(BLOCK, told["size"] - number * BLOCK)
                transaction.execute("REPLACE INTO blocks VALUES (?, ?)", (number, bytes(content[offset:offset + length])))
                offset += length
            transaction.execute("DELETE FROM blocks WHERE number >= ?", (-(-told["size"] // BLOCK),))
            transaction.executemany("REPLACE INTO state VALUES (?, ?)",
                                    [(name, str(told[name])) for name in ("version", "size", "epoch", "at")])
        return offset

    def _files(self) -> dict[str, str]:
        return {name: self.digests.of(file) for name, file in shipped(self.folder)}

    def _keep(self, name: str, content: bytes) -> None:
        target = self.folder / name
        if not target.resolve().is_relative_to(self.folder.resolve()):
            raise Refused("standby_file", f"主服务器发来的文件名不正确：{name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(target.name + ".standby-new")
        new.write_bytes(content)
        new.chmod(0o600)
        new.replace(target)

    def write_out(self) -> Path:
        """The database as a file; refuses a copy that is not whole or not sound."""
        state = self.state
        if "version" not in state:
            raise Refused("standby_empty", "这台机器还没有从主服务器取得完整的数据，不能接替。")
        new = self.folder / (DATABASE + ".standby-new")
        with new.open("wb") as stream:
            for (content,) in self.connection.execute("SELECT content FROM blocks ORDER BY number"):
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if new.stat().st_size != int(state["size"]):
            raise Refused("standby_torn", "备用数据不完整，不能接替。")
        if (found := _soundness(new)) != "ok":
            raise Refused("standby_torn", f"备用数据没有通过完整性检查：{found}")
        return new


def _soundness(database: Path) -> str:
    """``ok``, or what SQLite finds wrong."""
    with closing(sqlite3.connect(database)) as check:
        try:
            return str(check.execute("PRAGMA integrity_check").fetchone()[0])
        except sqlite3.DatabaseError as error:
            return str(error)


def shipped(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files beside the database that a server needs: keys and uploaded files."""
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if name in NOT_SHIPPED or name.startswith(FOLDERS_NOT_SHIPPED) or ".sqlite3" in name or name.endswith((".standby-new", ".log")):
            continue
        if file.is_file():
            yield name, file


class Digests:
    """SHA-256 of files, computed again only when a file has changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, int, str]] = {}

    def of(self, file: Path) -> str:
        status = file.stat()
        known = self._known.get(file)
        if known is None or known[:2] != (status.st_mtime_ns, status.st_size):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            known = self._known[file] = (status.st_mtime_ns, status.st_size, digest)
        return known[2]


def promote(folder: Path, primary: Primary | None, *, force: bool) -> int:
    """Make the copy in ``folder`` the room's server: the new epoch. The primary must be silent, or step down (``force``)."""
    if (folder / DATABASE).exists():
        raise Refused("already_promoted", "这台机器上已经有数据库，已接替过或不是备用机。请直接运行 examroom serve。")
    with closing(Copy(folder)) as copy:
        answers = primary is not None and _answers(primary)
        if answers and not force:
            raise Refused("primary_answers", "主服务器仍在工作，不能接替。确需切换（例如主服务器要停机维护），请加 --force：主服务器会先停止接收数据。")
        epoch = int(copy.state.get("epoch", "0")) + 1
        if answers and primary is not None:
            primary.ask("/step-down", epoch=epoch)
            copy.follow(primary)  # what it took until it stepped down
        new = copy.write_out()
    fencing.keep_epoch(folder, epoch)
    new.rename(folder / DATABASE)
    return epoch


def _answers(primary: Primary) -> bool:
    try:
        primary.ask("/alive")
    except OSError:
        return False
    return True
