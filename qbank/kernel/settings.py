"""Settings, read once from the environment; a bad value stops the start and names its variable."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from qbank.kernel.keyring import Keyring

PREFIX = "EXAMROOM_"
T = TypeVar("T")


class BadSetting(Exception):
    """A variable of the environment has a value that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """All that can be set from outside.

    ``folder`` holds the embedded database, the keys and uploaded media. ``identity_key`` (32 bytes) encrypts identity
    numbers and is kept outside the database, so that a stolen database alone reveals none. ``public_url`` is where people
    outside reach this installation: it is printed on certificates, so it never comes from a request.
    """

    folder: Path
    database_url: str
    secret_key: bytes
    identity_key: bytes
    idle_minutes: int = 30
    secure_cookies: bool = False
    upload_megabytes: int = 20
    jobs_inline: bool = False
    public_url: str = "http://127.0.0.1:8000"
    proxies: int = 0  # how many servers of ours stand in front and say whom they speak for; 0: believe nobody
    video_folder: Path | None = None  # where recordings are seen from here, read only; None: ``video`` in the folder
    unsafe_database: bool = False  # open rooms on a database that may lose what it acknowledged: for tests, never for an exam

    @property
    def paper_keys(self) -> Keyring:
        """What sealed papers are opened with; beside the database, never in it."""
        return Keyring(self.folder / "papers.key")

    @property
    def media(self) -> Path:
        """Where uploaded files lie, each under the hash of its content."""
        return self.folder / "media"

    @property
    def tls_folder(self) -> Path:
        """The authority and the server certificate that ``serve --tls`` makes."""
        return self.folder / "tls"

    @property
    def videos(self) -> Path:
        """Where recordings are looked for. They are registered by path and hash and never copied or changed."""
        return self.video_folder or self.folder / "video"

    @property
    def code_key(self) -> bytes:
        """What exam codes are derived from; like the identity key it is nowhere in the database."""
        return hashlib.sha256(b"exam code" + self.identity_key).digest()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, folder: Path | None = None) -> Settings:
        """Read ``EXAMROOM_*``; ``folder`` (from ``--dir``) wins over ``EXAMROOM_DIR``. Raises BadSetting."""

        def read(name: str, default: T, parse: Callable[[str], T]) -> T:
            text = environment.get(PREFIX + name, "").strip()
            if not text:
                return default
            try:
                return parse(text)
            except ValueError as error:
                raise BadSetting(f"{PREFIX}{name}: {error}") from error

        where = (folder or read("DIR", Path("examroom-data"), Path)).absolute()
        try:
            where.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadSetting(f"{PREFIX}DIR: cannot create the folder {where}: {error}") from error
        try:
            Keyring(where / "papers.key").ensure()
        except ValueError as error:
            raise BadSetting(str(error)) from error
        return cls(
            folder=where,
            database_url=read("DATABASE_URL", f"sqlite:///{where / 'examroom.sqlite3'}", database_url),
            secret_key=read("SECRET_KEY", b"", _long_secret) or _kept_key(where / "secret.key"),
            identity_key=read("IDENTITY_KEY", b"", _hex_key) or _kept_key(where / "identity.key"),
            idle_minutes=read("IDLE_MINUTES", 30, _between(1, 24 * 60)),
            secure_cookies=read("SECURE_COOKIES", False, _flag),
            upload_megabytes=read("UPLOAD_MEGABYTES", 20, _between(1, 1024)),
            jobs_inline=read("JOBS_INLINE", False, _flag),
            video_folder=read("VIDEO_DIR", None, Path),
            unsafe_database=read("UNSAFE_DATABASE", False, _flag),
            proxies=read("PROXIES", 0, _between(0, 5)),
            public_url=read("PUBLIC_URL", "http://127.0.0.1:8000", _web_address),
        )


def database_url(text: str) -> str:
    if text.startswith("sqlite:///"):
        return text
    for prefix in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if text.startswith(prefix):
            return "postgresql+psycopg://" + text.removeprefix(prefix)
    raise ValueError("must begin with sqlite:/// or postgresql://")


def _long_secret(text: str) -> bytes:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text.encode()


def _hex_key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != 32:
        raise ValueError("must be 64 hexadecimal digits (32 bytes)")
    return key


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")) or any(character.isspace() for character in text):
        raise ValueError("must be an address such as https://exam.example.cn")
    return text.rstrip("/")


def _flag(text: str) -> bool:
    if text.lower() not in {"0", "1", "false", "true", "no", "yes"}:
        raise ValueError("must be 1 or 0")
    return text.lower() in {"1", "true", "yes"}


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return number

    return parse


def _kept_key(file: Path) -> bytes:
    """The 32-byte key kept in ``file``, made at the first start and readable by its owner only."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(32))
    key = file.read_bytes()
    if len(key) != 32:
        raise BadSetting(f"{file} does not hold a 32-byte key; restore it from the backup")
    return key
