"""The items that a specification pins or bars by hand, encrypted like the papers made from it.

What is pinned is on every form, so in clear it would tell what is on a sealed one. Lists are therefore never written in
clear: not with the specification, not in the audit trail, not in the reason of a version. Rules see them through
:func:`rules_of`; people see them while no paper made with them is shut, or when they composed it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from qbank.kernel.access import Viewer
from qbank.kernel.keyring import KEY_BYTES, open_bytes, seal_bytes
from qbank.kernel.refused import Refused
from qbank.papers.models import Paper, PaperState, Specification
from qbank.papers.packs import about_lists, keyring_of, padded, unpadded
from qbank.papers.rules import LISTS
from qbank.papers.sealed import SealedLists

Rows = dict[str, list[dict[str, Any]]]  # name of a list → item, why, who, at


def lists_of(session: Session, specification: Specification) -> Rows:
    """Every list that holds something. Refuses when the key is not here or the bytes were changed."""
    row = _row(session, specification)
    if row is None:  # of a specification written before lists were encrypted
        return _lists_in(specification.rules)
    bound = about_lists(specification.id)
    key = keyring_of(session).unwrap(row.key_name, row.wrapped_key, bound)
    found: Rows = json.loads(unpadded(open_bytes(key, row.content, bound)))
    return found


def rules_of(session: Session, specification: Specification) -> dict[str, Any]:
    """Rules and lists together, as :mod:`qbank.papers.rules` stores them."""
    return {**without_lists(specification.rules), **lists_of(session, specification)}


def keep(session: Session, specification: Specification, rules: Mapping[str, Any]) -> None:
    """Encrypt the lists within ``rules`` and keep them with the specification, which has its id."""
    wanted, row = _lists_in(rules), _row(session, specification)
    if not wanted and row is not None:
        session.delete(row)
    elif wanted and wanted != (lists_of(session, specification) if row else {}):
        key, bound = secrets.token_bytes(KEY_BYTES), about_lists(specification.id)
        name, wrapped = keyring_of(session).wrap(key, bound)
        row = row or SealedLists(specification_id=specification.id)
        row.content = seal_bytes(key, padded(json.dumps(wanted, ensure_ascii=False).encode()), bound)
        row.key_name, row.wrapped_key = name, wrapped
        session.add(row)
    session.flush()


def without_lists(rules: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rules.items() if name not in LISTS}


def may_see(session: Session, specification: Specification, who: Viewer) -> bool:
    """While a paper of this specification's line is shut, only who composed it knows what was pinned to it."""
    line = aliased(Specification)
    composers = sa.select(Paper.composer_id).join(line, line.id == Paper.specification_id).where(
        sa.or_(line.id == specification.line, line.root_id == specification.line),
        Paper.state == PaperState.SEALED, Paper.opened_at.is_(None)).distinct()
    return set(session.scalars(composers)) <= {who.account_id}


def require_sight(session: Session, specification: Specification, who: Viewer) -> None:
    """Refuse whoever may not know what is pinned: a refusal to add an item twice would tell it, too."""
    if not may_see(session, specification, who):
        raise Refused("lists_shut", "用本方案组的试卷已封存、还没有启封，必选题和禁用题只有组卷人能看和改。请复制为新方案，或等启封后再改。")


def encrypt_old(session: Session) -> int:
    """Encrypt the lists of specifications that hold them in clear, written before revision 0005: how many.

    Specifications with sealed papers never change; this changes nothing that a paper or its fingerprint speaks of, so it
    is written beside the guard, on the table itself.
    """
    old = [one for one in session.scalars(sa.select(Specification)) if any(name in one.rules for name in LISTS)]
    for one in old:
        keep(session, one, one.rules)
        table = Specification.metadata.tables["specifications"]
        session.connection().execute(table.update().where(table.c.id == one.id).values(rules=without_lists(one.rules)))
        session.expire(one)
    return len(old)


def _row(session: Session, specification: Specification) -> SealedLists | None:
    return session.scalars(sa.select(SealedLists).where(SealedLists.specification_id == specification.id)).one_or_none()


def _lists_in(rules: Mapping[str, Any]) -> Rows:
    held: Mapping[str, Sequence[Mapping[str, Any]]] = {name: rules.get(name, ()) for name in LISTS}
    return {name: list(map(dict, rows)) for name, rows in held.items() if rows}
