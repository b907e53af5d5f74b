"""Signing a mark sheet: with a pen on the screen, or with a PIN where gloves make a pen useless."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from argon2.exceptions import Argon2Error
from PIL import Image
from sqlalchemy.orm import Session

from qbank.kernel import accounts, attachments
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import Attachment
from qbank.kernel.refused import Refused
from scoring.practical.marks import check_complete, check_open
from scoring.practical.models import MarkSheet
from scoring.practical.register_models import SigningPin
from scoring.practical.settling import sign

PIN = re.compile(r"[0-9]{6}")
PREFIX = "data:image/png;base64,"
LARGEST = 200_000  # characters of a signature as the page sends it
LEAST_INK = 60  # dark pixels: a tap is no signature
MOST_SIDE = 2000
FAILURES = 5


def sign_with(session: Session, sheet: MarkSheet, who: Viewer, signature: str, *, now: datetime) -> None:
    """Sign with what the page sent: ``{"pen": data URL}`` or ``{"pin": "…"}``, and the chief's ``reason``."""
    told = _read(signature)
    check_open(session, sheet, who, now)
    check_complete(sheet)
    if told.get("pen"):
        sheet.signature, sheet.signed_with = pen(session, str(told["pen"]), who, now=now), "pen"
    else:
        check_pin(session, who, str(told.get("pin", "")))
        sheet.signed_with = "pin"
    sign(session, sheet, who, now=now, reason=str(told.get("reason", ""))[:1000])


def _read(signature: str) -> dict[str, Any]:
    try:
        told = json.loads(signature)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refused("no_signature", "没有收到签名，请重新签字。")
    return told


def pen(session: Session, data_url: str, who: Viewer, *, now: datetime) -> Attachment:
    """A signature drawn on the screen, kept as a picture. Refuses an empty one and what is no PNG."""
    try:
        content = base64.b64decode(data_url.removeprefix(PREFIX), validate=True)
        with Image.open(BytesIO(content), formats=["PNG"]) as picture:
            if len(data_url) > LARGEST or max(picture.size) > MOST_SIDE:
                raise Refused("signature_too_large", "签名图片过大，请清除后重签。")
            alpha = picture.convert("RGBA").getchannel("A")
            ink = sum(alpha.histogram()[128:])
            if ink < LEAST_INK or ink > 0.5 * picture.width * picture.height:
                raise Refused("empty_signature", "签名太短或没有签名，请在框内写全姓名。")
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused("no_signature", "没有收到签名，请重新签字。") from error
    return attachments.keep(session, attachments.from_bytes(content, f"签名-{who.name}.png"), who, kinds=(attachments.PNG,),
                            most_megabytes=1, now=now)


def signature_png(session: Session, sheet: MarkSheet) -> bytes | None:
    """What the pen wrote; None where the sheet was signed with the PIN (or before there were pens)."""
    return attachments.path_of(session, sheet.signature).read_bytes() if sheet.signature else None


def set_pin(session: Session, who: Viewer, pin: str, password: str, *, now: datetime) -> None:
    """Set or replace one's own PIN; the account's password proves who it is."""
    account = session.get_one(Account, who.account_id)
    if not _fits(account.password_hash or "", password):
        raise Refused("wrong_password", "登录密码不对，PIN 没有改变。")
    if not PIN.fullmatch(pin) or len(set(pin)) < 3 or pin in "01234567890 09876543210":
        raise Refused("weak_pin", "PIN 应为 6 位数字，不能是连号，至少有 3 个不同的数字。")
    held = _pin(session, who)
    if held is None:
        held = SigningPin(account_id=who.account_id)
        session.add(held)
    held.digest, held.failures, held.set_at = accounts.HASHER.hash(pin), 0, now
    session.flush()


def has_pin(session: Session, who: Viewer) -> bool:
    return _pin(session, who) is not None


def check_pin(session: Session, who: Viewer, pin: str) -> None:
    """Refuse a wrong PIN; five in a row shut it until it is set again. The failures are counted with the caller's commit."""
    held = _pin(session, who)
    if held is None:
        raise Refused("no_pin", "您还没有设置签字 PIN。请用手写签名，或先在“签字 PIN”页设置。")
    if held.failures >= FAILURES:
        raise Refused("pin_shut", f"PIN 已连续输错 {FAILURES} 次，不能再用。请用手写签名，或凭登录密码重新设置 PIN。")
    if not _fits(held.digest, pin):
        held.failures += 1
        session.flush()
        raise Refused("wrong_pin", f"PIN 不对，没有签字。还可以试 {FAILURES - held.failures} 次。")
    held.failures = 0


def _pin(session: Session, who: Viewer) -> SigningPin | None:
    return session.scalar(sa.select(SigningPin).where(SigningPin.account_id == who.account_id))


def _fits(digest: str, secret: str) -> bool:
    try:
        return bool(digest) and accounts.HASHER.verify(digest, secret)
    except Argon2Error:
        return False
