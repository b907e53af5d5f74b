"""Packs: what is sealed of a paper, encrypted, and the only way back to it.

The content of each sealed paper stands under a key of its own (AES-256-GCM, bound to the paper and its fingerprint), and
that key under the installation's key file (``qbank.kernel.keyring``), which lies beside the database and never in it.
Whoever has the database alone cannot tell which items are on a shut paper. For each trace this was decided:

- rows of ``paper_items``: deleted at sealing (overwritten in the file on SQLite), written again at the opening;
- states, ``used_at`` and use counts of items: moved to the opening;
- seed of the paper, of its family and in the arguments of jobs: with the bank it makes the same paper again, so it goes
  into the pack; the audit trail never had it, nor the compliance sheet or the family's report;
- the fingerprint covers 256 random bits that are in the pack: it confirms no guess before the opening;
- points of the standard that occur twice: names go into the pack, the sheet keeps their number;
- swaps by hand and the items of discarded papers: forgotten;
- items pinned to every form: encrypted from the moment they are pinned (``qbank.papers.lists``), the trail never has them;
- the length of a pack: filled up to full 4 KiB.

What cannot be hidden, plainly: copies of the database made while the paper was a draft (also SQLite's write-ahead log
until it is next emptied, and PostgreSQL's dead rows until the next VACUUM and in its own log); the counts on the compliance
sheet and the curves of the form, which a person who already guessed the items could compare; what drafts of the same family
show in clear: that their items are *not* on the sealed forms, as far as overlap was forbidden; what a person who composed
it remembers; and everything, to whoever holds the database and the key file together.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion
from qbank.kernel import host_keys
from qbank.kernel.keyring import KEY_BYTES, Keyring, open_bytes, seal_bytes
from qbank.kernel.refused import Refused
from qbank.papers.models import Paper, PaperItem
from qbank.papers.sealed import PaperPrint, SealedLists, SealedPack

BLOCK = 4096


@dataclass(frozen=True)
class Row:
    """One item of the paper, by its links."""

    number: int
    position: int
    version_id: int
    item_id: int
    half_points: int


@dataclass(frozen=True)
class Packed:
    """All that is sealed. ``canonical``: the text that the fingerprint is taken of, every stem, option, key, guide and
    material in it; ``rendered``: SHA-256 of each item as HTML by this version of the program; ``pictures``: hash → type."""

    canonical: str
    salt: str
    rows: tuple[Row, ...]
    rendered: tuple[str, ...]
    pictures: dict[str, str]
    seed: int | None
    forms: int
    bank: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    repeated: tuple[dict[str, Any], ...] = ()

    def to_bytes(self) -> bytes:
        return padded(json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True).encode())

    @classmethod
    def from_bytes(cls, content: bytes) -> Packed:
        plain = json.loads(unpadded(content))
        return cls(**plain | {"rows": tuple(Row(**row) for row in plain["rows"]), "rendered": tuple(plain["rendered"]),
                              "repeated": tuple(plain["repeated"])})


def padded(content: bytes) -> bytes:
    """Compressed, with its length in front, filled up to full blocks."""
    packed = zlib.compress(content, 9)
    packed = len(packed).to_bytes(8) + packed
    return packed + bytes(-len(packed) % BLOCK)


def unpadded(content: bytes) -> bytes:
    return zlib.decompress(content[8:8 + int.from_bytes(content[:8])])


def keyring_of(session: Session) -> Keyring:
    """The key file of the installation that ``session`` belongs to."""
    found: Keyring | None = session.info.get("paper_keys")
    if found is None:
        raise Refused("no_paper_key", "这个连接没有试卷密钥，不能封存或启封试卷。请通过本系统的程序操作。")
    return found


def store(session: Session, paper: Paper, packed: Packed, *, now: datetime) -> SealedPack:
    """Encrypt ``packed`` under a fresh key and keep it."""
    key = secrets.token_bytes(KEY_BYTES)
    name, wrapped = keyring_of(session).wrap(key, about(paper.id, "key"))
    directory = padded(json.dumps([[row.version_id, row.item_id] for row in packed.rows]).encode())
    pack = SealedPack(paper_id=paper.id, content=seal_bytes(key, packed.to_bytes(), about(paper.id, paper.fingerprint or "")),
                      directory=seal_bytes(key, directory, about(paper.id, "directory")), wrapped_key=wrapped,
                      key_name=name, sealed_at=now)
    session.add(pack)
    return pack


def packed_of(session: Session, paper: Paper) -> Packed:
    """The content of a sealed paper, for rules; what shows any of it records a look. Refuses changed bytes and keys."""
    pack = session.scalars(sa.select(SealedPack).where(SealedPack.paper_id == paper.id)).one_or_none()
    if pack is None:
        raise Refused("no_pack", f"试卷“{paper.name}”没有密封内容：它在加密封存之前就已封存，或密封内容被删除。请核对后改用其他试卷。")
    return Packed.from_bytes(open_bytes(_key(session, pack), pack.content, about(paper.id, paper.fingerprint or "")))


def has_pack(session: Session, paper: Paper) -> bool:
    return session.scalar(sa.select(SealedPack.id).where(SealedPack.paper_id == paper.id)) is not None


def version_ids(session: Session, paper_ids: Iterable[int]) -> dict[int, list[int]]:
    """Paper → the versions on it, drafts, shut and opened papers alike. For checks that show nothing of it."""
    return {paper_id: [version_id for version_id, _ in pairs] for paper_id, pairs in links(session, paper_ids).items()}


def links(session: Session, paper_ids: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """Paper → (version, item) of everything on it, for checks that show nothing of it."""
    wanted = sorted(set(paper_ids))
    found: dict[int, list[tuple[int, int]]] = {paper_id: [] for paper_id in wanted}
    query = (sa.select(PaperItem.paper_id, PaperItem.version_id, ItemVersion.item_id)
             .join(ItemVersion, ItemVersion.id == PaperItem.version_id)
             .where(PaperItem.paper_id.in_(wanted)).order_by(PaperItem.paper_id, PaperItem.number))
    for paper_id, version_id, item_id in session.execute(query):
        found[paper_id].append((version_id, item_id))
    hidden = [paper_id for paper_id, rows in found.items() if not rows]
    for pack in session.scalars(sa.select(SealedPack).where(SealedPack.paper_id.in_(hidden))):
        plain = open_bytes(_key(session, pack), pack.directory, about(pack.paper_id, "directory"))
        found[pack.paper_id] = [(version_id, item_id) for version_id, item_id in json.loads(unpadded(plain))]
    return found


def rotate(session: Session) -> tuple[str, int]:
    """Wrap the key of every pack, print and list of pinned items under a new installation key: the new key's name, and how many were wrapped.

    The content is not encrypted anew: a copy of the database and of the old key file goes on opening what it held.
    """
    keys = keyring_of(session)
    if session.get_bind().dialect.name == "postgresql":  # SQLite's writer is alone already
        session.execute(sa.text("LOCK TABLE sealed_packs, paper_prints, sealed_lists IN SHARE ROW EXCLUSIVE MODE"))
    name = keys.add()
    host_keys.replaced(session, "papers", keys.file.read_bytes()[:KEY_BYTES])
    held: Sequence[SealedPack | PaperPrint | SealedLists] = [
        *session.scalars(sa.select(SealedPack)), *session.scalars(sa.select(PaperPrint)), *session.scalars(sa.select(SealedLists))]
    for one in held:
        bound = (about_lists(one.specification_id) if isinstance(one, SealedLists)
                 else about(one.paper_id, "key" if isinstance(one, SealedPack) else "print"))
        one.key_name, one.wrapped_key = keys.wrap(keys.unwrap(one.key_name, one.wrapped_key, bound), bound)
    session.flush()
    return name, len(held)


def unused_keys(session: Session) -> list[str]:
    """Keys of the file, but the current one, that wrap nothing."""
    used = {name for model in (SealedPack, PaperPrint, SealedLists) for name in session.scalars(sa.select(model.key_name))}
    return [name for name in keyring_of(session).names()[1:] if name not in used]


def _key(session: Session, pack: SealedPack) -> bytes:
    return keyring_of(session).unwrap(pack.key_name, pack.wrapped_key, about(pack.paper_id, "key"))


def about(paper_id: int, what: str) -> bytes:
    """What a ciphertext is bound to: it opens nowhere else."""
    return f"examroom/paper/{paper_id}/{what}".encode()


def about_lists(specification_id: int) -> bytes:
    return f"examroom/specification/{specification_id}/lists".encode()
