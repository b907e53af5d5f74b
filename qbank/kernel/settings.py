"""Settings, read once from the environment; a bad value stops the start and names its variable."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from qbank.kernel.identity import IdentityCipher
from qbank.kernel.identity_keys import KEY_BYTES, IdentityKeys, derived_from, derived_in
from qbank.kernel.keyring import Keyring
from qbank.kernel.mail_server import MailServer

PREFIX = "EXAMROOM_"
T = TypeVar("T")


class BadSetting(Exception):
    """A variable of the environment has a value that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """All that can be set from outside.

    ``folder`` holds the embedded database, the keys and uploaded media. ``identity_key`` (32 bytes) encrypts identity
    numbers and is kept outside the database, so that a stolen database alone reveals none; ``identity`` is what stands now,
    also while a key is being replaced. ``public_url`` is where people
    outside reach this installation: it is printed on certificates, so it never comes from a request.
    """

    folder: Path
    database_url: str
    secret_key: bytes
    identity_key: bytes  # as it was at the start: ask ``identity``
    idle_minutes: int = 30
    session_hours: int = 12  # a sign-in ends then, however busy
    secure_cookies: bool = False
    upload_megabytes: int = 20
    jobs_inline: bool = False
    public_url: str = "http://127.0.0.1:8000"
    totp_roles: frozenset[str] = frozenset()  # who holds one of these must sign in with a second step
    proxies: int = 0  # how many servers of ours stand in front and say whom they speak for; 0: believe nobody
    video_folder: Path | None = None  # where recordings are seen from here, read only; None: ``video`` in the folder
    unsafe_database: bool = False  # open rooms on a database that may lose what it acknowledged: for tests, never for an exam
    former_identity_keys: tuple[bytes, ...] = ()  # those that are being replaced, where the keys come from the environment
    derived_keys: bytes = b""  # what ``codes.key`` holds, from the environment; empty: the file, or derived
    log_format: str = "plain"  # or json: one object a line, and a line for every request
    slow_query_ms: int = 500  # statements that take longer are told in the log; 0: none
    internal_address: tuple[str, int] | None = None  # where health and figures are told; None: nowhere but /healthz
    media_url: str = ""  # where uploaded files lie; empty: in the folder, else another folder or s3://bucket/prefix
    s3_endpoint: str = ""  # empty: that of AWS
    s3_addressing: str = "auto"
    queue_url: str = ""  # redis://…: workers are told of jobs through Redis; empty: they look into the table of jobs
    drain_seconds: int = 2  # between being told to stop and taking nothing more: whoever shares out the load looks elsewhere
    mail_server: MailServer | None = None  # who takes letters of the doctor; None: whom an administrator entered, if any
    identity_file: Path | None = None  # where the keys are kept and changed while we run; None: they stand here

    @property
    def paper_keys(self) -> Keyring:
        """What sealed papers are opened with; beside the database, never in it."""
        return Keyring(self.folder / "papers.key")

    @property
    def media(self) -> Path:
        """Where uploaded files lie, each under the hash of its content, where no bucket holds them."""
        return Path(self.media_url) if self.media_url and not self.media_url.startswith("s3://") else self.folder / "media"

    @property
    def tls_folder(self) -> Path:
        """The authority and the server certificate that ``serve --tls`` makes."""
        return self.folder / "tls"

    @property
    def videos(self) -> Path:
        """Where recordings are looked for. They are registered by path and hash and never copied or changed."""
        return self.video_folder or self.folder / "video"

    @property
    def identity(self) -> IdentityKeys:
        """The keys of identity numbers as they stand now."""
        if self.identity_file is not None:
            return IdentityKeys.read(self.identity_file, self.derived_file)
        keys = (self.identity_key, *self.former_identity_keys)
        return IdentityKeys(keys, self.derived_keys or derived_in(self.derived_file) or derived_from(keys[-1]))

    @property
    def derived_file(self) -> Path:
        return self.folder / "codes.key"

    def identity_cipher(self) -> IdentityCipher:
        return self.identity.cipher()

    @property
    def code_key(self) -> bytes:
        """What exam codes are derived from; like the identity key it is nowhere in the database."""
        return self.identity.code_key

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
        except (ValueError, OSError) as error:
            raise BadSetting(str(error)) from error
        no_keys: tuple[bytes, ...] = ()
        given = read("IDENTITY_KEY", no_keys, _hex_keys)
        return cls(
            folder=where,
            database_url=read("DATABASE_URL", f"sqlite:///{where / 'examroom.sqlite3'}", database_url),
            secret_key=read("SECRET_KEY", b"", _long_secret) or _kept_key(where / "secret.key"),
            identity_key=given[0] if given else _kept_key(where / "identity.key", several=True),
            former_identity_keys=given[1:],
            identity_file=None if given else where / "identity.key",
            derived_keys=read("CODES_KEY", b"", _derived_keys),
            idle_minutes=read("IDLE_MINUTES", 30, _between(1, 24 * 60)),
            session_hours=read("SESSION_HOURS", 12, _between(1, 7 * 24)),
            secure_cookies=read("SECURE_COOKIES", False, _flag),
            upload_megabytes=read("UPLOAD_MEGABYTES", 20, _between(1, 1024)),
            jobs_inline=read("JOBS_INLINE", False, _flag),
            video_folder=read("VIDEO_DIR", None, Path),
            log_format=read("LOG_FORMAT", "plain", _one_of("plain", "json")),
            slow_query_ms=read("SLOW_QUERY_MS", 500, _between(0, 3_600_000)),
            internal_address=read("INTERNAL_ADDRESS", None, _host_and_port),
            media_url=read("MEDIA_URL", "", _media_url),
            queue_url=read("QUEUE_URL", "", _redis),
            drain_seconds=read("DRAIN_SECONDS", 2, _between(0, 600)),
            s3_endpoint=read("S3_ENDPOINT", "", _web_address),
            s3_addressing=read("S3_ADDRESSING", "auto", _one_of("auto", "path", "virtual")),
            mail_server=read("MAIL_URL", None, MailServer.of_url),
            unsafe_database=read("UNSAFE_DATABASE", False, _flag),
            totp_roles=read("TOTP_ROLES", frozenset(), _staff_roles),
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


def _hex_keys(text: str) -> tuple[bytes, ...]:
    """The current key first; behind it those that are being replaced."""
    return tuple(_hex_key(one.strip()) for one in text.split(","))


def _derived_keys(text: str) -> bytes:
    keys = bytes.fromhex(text)
    if len(keys) != 2 * KEY_BYTES:
        raise ValueError("must be 128 hexadecimal digits: what codes.key holds")
    return keys


def _hex_key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != 32:
        raise ValueError("must be 64 hexadecimal digits (32 bytes)")
    return key


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")) or any(character.isspace() for character in text):
        raise ValueError("must be an address such as https://exam.example.cn")
    return text.rstrip("/")


def _redis(text: str) -> str:
    if not text.startswith(("redis://", "rediss://")):
        raise ValueError("must begin with redis:// or rediss://; leave it empty to use the database")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text

    return parse


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("must be host:port, such as 127.0.0.1:9100")
    return host.strip("[]"), int(port)


def _media_url(text: str) -> str:
    """A bucket as given, a folder as an absolute path."""
    if text.startswith("s3://"):
        if not text.removeprefix("s3://").partition("/")[0]:
            raise ValueError("must name a bucket: s3://bucket/prefix")
        return text
    path = Path(text.removeprefix("file://"))
    if not path.is_absolute():
        raise ValueError("must be s3://bucket/prefix or the absolute path of a folder")
    return str(path)


def _staff_roles(text: str) -> frozenset[str]:
    from qbank.kernel.access import STAFF  # it stands above the settings

    named = frozenset(name.strip() for name in text.split(",") if name.strip())
    if unknown := named - STAFF:
        raise ValueError(f"{', '.join(sorted(unknown))}: not among {', '.join(sorted(STAFF))}")
    return named


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


def _kept_key(file: Path, *, several: bool = False) -> bytes:
    """The (first) 32-byte key kept in ``file``, made at the first start and readable by its owner only."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(32))
    try:
        key = file.read_bytes()
    except OSError as error:
        raise BadSetting(f"{file} cannot be read: {error.strerror}") from error
    if not key or len(key) % 32 or (len(key) != 32 and not several):
        raise BadSetting(f"{file} does not hold a 32-byte key; restore it from the backup")
    return key[:32]
