"""A mail server that takes letters of ours: where it is, how it is spoken to, and what it said when it took none. No database."""

from __future__ import annotations

import enum
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from qbank.kernel.refused import Refused

ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
HOST = re.compile(r"[A-Za-z0-9._:-]{1,200}")
PATIENCE = 15.0  # seconds for each answer of the server
CALLED = "[127.0.0.1]"  # what we call ourselves: asking the name service for a better name may take a minute


class Security(enum.StrEnum):
    """How the way to the server is kept shut: from the first byte, after a word, or not at all (inside one's own network)."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"

    @property
    def chinese(self) -> str:
        return {"tls": "SSL/TLS（多为 465 端口）", "starttls": "STARTTLS（多为 587 端口）", "none": "不加密（只限校内邮件服务器）"}[self.value]


@dataclass(frozen=True)
class MailServer:
    """``login`` empty: the server asks for none. ``recipient``: the administrator who is told."""

    host: str
    port: int
    security: Security
    login: str
    password: str
    sender: str
    recipient: str

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot stand in a letter or in the talk with a server."""
        if not HOST.fullmatch(self.host) or not 0 < self.port < 65536:
            raise ValueError("邮件服务器应为主机名或地址，端口为 1 到 65535")
        if not ADDRESS.fullmatch(self.sender) or not ADDRESS.fullmatch(self.recipient):
            raise ValueError("发件和收件地址应像 name@example.cn")
        if not (self.login + self.password).isascii() or not (self.login + self.password).isprintable():
            raise ValueError("邮箱登录名和密码只能用英文字母、数字和符号")

    @classmethod
    def of_url(cls, text: str) -> MailServer:
        """``smtps://login:password@host:465/?from=…&to=…``; ``smtp://`` begins TLS with STARTTLS, ``smtp+plain://`` has none."""
        schemes = {"smtps": (Security.TLS, 465), "smtp": (Security.STARTTLS, 587), "smtp+plain": (Security.NONE, 25)}
        parts, asked = urlsplit(text), {name: values[-1] for name, values in parse_qs(urlsplit(text).query).items()}
        if parts.scheme not in schemes or not {"from", "to"} <= asked.keys():
            raise ValueError("must be smtps://login:password@host:465/?from=ADDRESS&to=ADDRESS (or smtp://, smtp+plain://)")
        security, port = schemes[parts.scheme]
        return cls(parts.hostname or "", parts.port or port, security, unquote(parts.username or ""), unquote(parts.password or ""),
                   asked["from"], asked["to"])

    def send(self, subject: str, text: str, *, now: datetime) -> None:
        """Hand one letter over. Refuses with what is wrong and what to do about it."""
        letter = EmailMessage(policy=SMTP)
        letter["From"], letter["To"], letter["Subject"] = self.sender, self.recipient, subject
        letter["Date"], letter["Message-ID"] = format_datetime(now), make_msgid(domain=self.sender.partition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        try:
            with self._reached() as server:
                if self.login:
                    self._sign_in(server)
                server.send_message(letter)
        except (OSError, smtplib.SMTPException) as error:
            raise Refused("mail_failed", f"邮件没有发出：{_said(error)}", [f"{self.host}:{self.port}", str(error)[:300]]) from error

    def _sign_in(self, server: smtplib.SMTP) -> None:
        try:
            server.login(self.login, self.password)
        except smtplib.SMTPServerDisconnected as error:  # some hang up on whoever they do not know
            raise smtplib.SMTPAuthenticationError(535, str(error).encode()) from error

    def _reached(self) -> smtplib.SMTP:
        if self.security is Security.TLS:
            return smtplib.SMTP_SSL(self.host, self.port, CALLED, timeout=PATIENCE, context=ssl.create_default_context())
        server = smtplib.SMTP(self.host, self.port, CALLED, timeout=PATIENCE)
        if self.security is Security.STARTTLS:
            try:
                server.starttls(context=ssl.create_default_context())
            except (OSError, smtplib.SMTPException):
                server.close()
                raise
        return server


def _said(error: Exception) -> str:
    """The sentence for what happened; the most special comes first."""
    sentences: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (smtplib.SMTPAuthenticationError, "邮件服务器不认登录名或密码。很多邮箱要用“授权码”代替密码，请到邮箱设置里领取。"),
        (smtplib.SMTPNotSupportedError, "邮件服务器不支持所选的加密或登录方式，请换一种加密方式。"),
        ((smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused), "邮件服务器拒绝了发件或收件地址。发件地址一般要与登录的邮箱相同。"),
        (ssl.SSLCertVerificationError, "邮件服务器的证书不可信。请核对服务器名称；校内服务器的证书要先装到本机的受信任机构里。"),
        (ssl.SSLError, "加密连接没有建立，多半是加密方式与端口不匹配。"),
        (socket.gaierror, "找不到这台邮件服务器，请核对名称和本机的网络。"),
        (TimeoutError, "邮件服务器没有及时回答，请核对端口和防火墙。"),
        (ConnectionRefusedError, "邮件服务器在这个端口上不接受连接，请核对端口。"),
        (smtplib.SMTPServerDisconnected, "邮件服务器中断了连接，多半是加密方式与端口不匹配。"))
    return next((sentence for kinds, sentence in sentences if isinstance(error, kinds)), "邮件服务器没有接受这封信。")
