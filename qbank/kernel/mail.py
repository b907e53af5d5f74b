"""Mail, if there is any: one server, one recipient, and only the doctor writes. The environment wins over what was typed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from qbank.kernel.access import Role, Viewer
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.kernel.finding import Finding
from qbank.kernel.forms import whole_number
from qbank.kernel.keyring import open_bytes, seal_bytes
from qbank.kernel.mail_server import MailServer, Security
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings

ABOUT = b"mail password"


class MailSettings(Versioned, Base):
    """The mail server that an administrator entered; at most one row."""

    __tablename__ = "mail_settings"

    id: Mapped[Id]
    host: Mapped[Line]
    port: Mapped[int]
    security: Mapped[Security] = mapped_column(sa.Enum(Security, native_enum=False, length=10))
    login: Mapped[Line]
    password_sealed: Mapped[bytes] = mapped_column(info={"secret": True})  # under a key that is not in the database
    sender: Mapped[Line]
    recipient: Mapped[Line]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return sa.literal(viewer.has(Role.ADMINISTRATOR))


def entered(session: Session) -> MailSettings | None:
    return session.scalar(sa.select(MailSettings).order_by(MailSettings.id).limit(1))


def server(session: Session, settings: Settings) -> MailServer | None:
    """The server that takes our letters; None when there is none. Refuses a password that the keys of this host do not open."""
    if settings.mail_server is not None:
        return settings.mail_server
    held = entered(session)
    if held is None:
        return None
    try:
        password = open_bytes(_key(settings), held.password_sealed, ABOUT).decode()
    except Refused as refusal:
        raise Refused("mail_password", "保存的邮箱密码打不开：secret.key 已经换过。请在“邮件通知”里重新填写密码。") from refusal
    return MailServer(held.host, held.port, held.security, held.login, password, held.sender, held.recipient)


def enter(session: Session, settings: Settings, fields: Mapping[str, str]) -> MailSettings:
    """Keep what an administrator typed; an empty password leaves the one that is kept as it is."""
    held = entered(session)
    password = fields.get("password", "")
    if not password and held is not None and (held.host, held.login) == (_text(fields, "host"), _text(fields, "login")):
        password = open_bytes(_key(settings), held.password_sealed, ABOUT).decode()  # never handed to another server
    if fields.get("security", "") not in set(Security):
        raise Refused("security", "请选择加密方式。")
    try:
        made = MailServer(_text(fields, "host"), whole_number(fields.get("port", ""), "端口", 1, 65535), Security(fields["security"]),
                          _text(fields, "login"), password, _text(fields, "sender"), _text(fields, "recipient"))
    except ValueError as error:
        raise Refused("mail_settings", f"{error}。") from error
    kept = held or MailSettings()
    kept.host, kept.port, kept.security, kept.login = made.host, made.port, made.security, made.login
    kept.sender, kept.recipient, kept.password_sealed = made.sender, made.recipient, seal_bytes(_key(settings), password.encode(), ABOUT)
    session.add(kept)
    session.flush()
    return kept


def forget(session: Session) -> None:
    """Nobody is told by mail any more."""
    if (held := entered(session)) is not None:
        session.delete(held)
        session.flush()


def look(session: Session) -> Finding:
    """For the doctor: whether the administrator can be told. It sends nothing."""
    try:
        found = server(session, session.info["settings"])
    except Refused as refusal:
        return Finding("mail", False, refusal.sentence, "在“系统检查 → 邮件通知”里重新填写邮箱密码")
    if found is None:
        return Finding("mail", True, "没有设置", advice="设置以后，系统检查发现问题时会写信给管理员：“系统检查 → 邮件通知”")
    return Finding("mail", True, f"发现问题时写信给 {found.recipient}（经 {found.host}:{found.port}）")


def _key(settings: Settings) -> bytes:
    return hashlib.sha256(b"examroom/mail" + settings.secret_key).digest()


def _text(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name, "").strip()
