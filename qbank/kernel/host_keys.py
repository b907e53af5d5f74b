"""Keys on several hosts: the database remembers which ones it was made with, and a host with other ones does not start.

Under another identity key a host would write numbers that nobody else can read, under another secret the sign-ins and exam
pages of its neighbours are worth nothing to it. Remembered is a slow hash: a secret that people chose is not guessed by it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel import doctor
from qbank.kernel.db import Base, table_of
from qbank.kernel.finding import Finding
from qbank.kernel.settings import Settings

SALT = b"examroom/host-key"
REMEDY = ("从正在使用的主机复制 secret.key、identity.key、codes.key、papers.key、signing.pem 到这台主机的文件夹（或设相同的环境变量），"
          "再启动；若是有意更换，运行 examroom keys accept")


class HostKey(Base):
    """One key of this installation. ``mark`` tells two keys apart and gives none away."""

    __tablename__ = "host_keys"
    __unaudited__ = "marks of keys, never the keys; a replacement of the identity key is audited where it is made"

    name: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    mark: Mapped[str] = mapped_column(sa.String(64))


_KEYS = table_of(HostKey)
_INSERTS = {"sqlite": sqlite.insert(_KEYS).on_conflict_do_nothing(), "postgresql": postgresql.insert(_KEYS).on_conflict_do_nothing()}


def marks(settings: Settings) -> dict[str, list[str]]:
    """What this host holds: name → marks, the one that it writes with first. A key that is not made yet is left out."""
    held = settings.identity
    found = {"secret": [settings.secret_key], "identity": list(held.keys), "codes": [held.derived]}
    found |= {"papers": _pieces(settings.paper_keys.file), "signing": _whole(settings.folder / "signing.pem")}
    return {name: [_mark(name, key) for key in keys] for name, keys in found.items() if keys}


def differing(session: Session, settings: Settings) -> list[str]:
    """The names of keys that are missing here, or others than those the database was made with."""
    held = marks(settings)
    return [name for name, mark in session.execute(sa.select(_KEYS.c.name, _KEYS.c.mark).order_by(_KEYS.c.name)) if mark not in held.get(name, ())]


def remember(session: Session, settings: Settings, *, anew: bool = False) -> None:
    """Write down the keys that the database does not know yet; ``anew``: those of this host are right from now on."""
    insert = _INSERTS[session.get_bind().dialect.name]
    for name, held in marks(settings).items():
        session.execute(insert, {"name": name, "mark": held[0]})
        if anew:
            _put(session, name, held[0])


def note(session: Session, name: str, key: bytes) -> None:
    """This host has just made the key, unless the database knows one already: see ``is_other`` then."""
    session.execute(_INSERTS[session.get_bind().dialect.name], {"name": name, "mark": _mark(name, key)})


def is_other(session: Session, name: str, key: bytes | None) -> bool:
    """Whether the database was made with another key than this; None: this host has none."""
    known = session.scalar(sa.select(_KEYS.c.mark).where(_KEYS.c.name == name))
    return known is not None and (key is None or known != _mark(name, key))


def replaced(session: Session, name: str, key: bytes) -> None:
    """A command has put this key in the place of another: hosts that lack it have to get it."""
    _put(session, name, _mark(name, key))


def _put(session: Session, name: str, mark: str) -> None:
    session.execute(sa.update(_KEYS).where(_KEYS.c.name == name).values(mark=mark))


def look(session: Session) -> Finding:
    settings: Settings | None = session.info.get("settings")
    other = differing(session, settings) if settings else []
    return Finding("host keys", not other, f"与数据库登记的不同：{'、'.join(other)}" if other else "与数据库登记的一致", REMEDY)


def _pieces(file: Path) -> list[bytes]:
    content = file.read_bytes() if file.exists() else b""
    return [content[start:start + 32] for start in range(0, len(content), 32)]


def _whole(file: Path) -> list[bytes]:
    return [file.read_bytes()] if file.exists() else []


@lru_cache(maxsize=64)  # asked before each signature
def _mark(name: str, key: bytes) -> str:
    return hashlib.scrypt(key, salt=SALT + name.encode(), n=2**12, r=8, p=1, dklen=16).hex()


doctor.EXAMINED.append(look)
