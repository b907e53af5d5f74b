"""Mail to the administrator: against a server of somebody else's making (aiosmtpd), in every way that one is spoken to."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel import mail, rounds, tls
from qbank.kernel.access import Role, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Database
from qbank.kernel.finding import Finding
from qbank.kernel.mail_server import MailServer, Security
from qbank.kernel.refused import Refused
from qbank.kernel.rounds import FindingRecord
from qbank.kernel.settings import BadSetting, Settings
from qbank.kernel.times import utc_now
from tests.conftest import People, TestClock
from tests.drills.room import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # a server inside one's own network

FULL = Finding("disk", False, "只剩 0.1 GB", "腾出空间")
LATE = Finding("backup", False, "没有备份", "运行 examroom backup")


@dataclass
class Post:
    """What arrived."""

    letters: list[EmailMessage] = field(default_factory=list)
    refuses: bool = False

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
            self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.refuses:
            return "451 try again later"
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


def knows(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"zhang@school.cn", b"sesame"))


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Security], tuple[MailServer, Post]]]:
    """Starts a mail server that is spoken to in one way; this machine trusts its certificate."""
    made = tls.ensure(tmp_path / "mail-tls", ("127.0.0.1",), now=utc_now())
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate, made.key)
    running: list[Controller] = []

    def start(security: Security) -> tuple[MailServer, Post]:
        post, port = Post(), free_port()
        ways: dict[Security, dict[str, Any]] = {
            Security.TLS: {"ssl_context": context}, Security.STARTTLS: {"tls_context": context, "require_starttls": True}, Security.NONE: {}}
        asked: dict[str, Any] = {"authenticator": knows, "auth_required": True, "auth_require_tls": security is Security.STARTTLS}
        running.append(Controller(post, hostname="127.0.0.1", port=port, **ways[security], **asked))
        running[-1].start()
        return MailServer("127.0.0.1", port, security, "zhang@school.cn", "sesame", "zhang@school.cn", "li@school.cn"), post

    yield start
    for one in running:
        one.stop()


@pytest.mark.parametrize("security", Security)
def test_a_letter_arrives_whichever_way_the_server_is_spoken_to(served: Callable[[Security], tuple[MailServer, Post]], security: Security,
                                                                clock: TestClock) -> None:
    server, post = served(security)
    server.send("考评通测试邮件", "收到了吗？\n.一行以点开头\n", now=clock())
    assert len(post.letters) == 1
    letter = post.letters[0]
    assert (letter["Subject"], letter["From"], letter["To"]) == ("考评通测试邮件", "zhang@school.cn", "li@school.cn")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().replace("\r\n", "\n") == "收到了吗？\n.一行以点开头\n"


def test_what_is_wrong_is_said_in_words_of_the_administrator(served: Callable[[Security], tuple[MailServer, Post]], clock: TestClock,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    server, post = served(Security.NONE)

    def told(wrong: MailServer) -> str:
        with pytest.raises(Refused) as refused:
            wrong.send("试", "试", now=clock())
        assert "sesame" not in f"{refused.value.sentence}{refused.value.details}"
        return refused.value.sentence

    assert "授权码" in told(replace(server, password="wrong"))
    assert "核对端口" in told(replace(server, port=free_port()))
    assert "加密" in told(replace(server, security=Security.STARTTLS))
    assert "加密方式与端口不匹配" in told(replace(server, security=Security.TLS))
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "证书不可信" in told(served(Security.TLS)[0])
    post.refuses = True
    assert "没有接受这封信" in told(server)
    assert post.letters == []


def test_li_si_is_told_once_a_day_of_each_finding_and_of_a_new_one_at_once(
        served: Callable[[Security], tuple[MailServer, Post]], session: Session, settings: Settings, clock: TestClock, database: Database) -> None:
    server, post = served(Security.NONE)
    settings = replace(settings, mail_server=server)
    seen: list[tuple[list[Finding], int]] = [([FULL], 1), ([FULL], 0), ([FULL, LATE], 1), ([FULL, LATE], 0)]
    for findings, letters in seen:
        rounds.keep(session, "pc1", findings, now=clock())
        session.commit()
        assert rounds.tell(database, settings, now=clock()) == letters
        clock.forward(hours=1)
    assert [letter["Subject"] for letter in post.letters] == ["考评通系统检查：1 项需要处理（磁盘空间）", "考评通系统检查：1 项需要处理（备份）"]
    first = post.letters[0].get_content()
    assert [word for word in ("磁盘空间（pc1）：只剩 0.1 GB", "腾出空间", "2026年6月1日 09:00") if word not in first] == []
    clock.forward(hours=24)
    assert rounds.tell(database, settings, now=clock()) == 2  # a day later both again, in one letter
    rounds.keep(session, "pc1", [replace(FULL, well=True), replace(LATE, well=True)], now=clock())
    session.commit()
    clock.forward(days=2)
    assert rounds.tell(database, settings, now=clock()) == 0  # all is well: silence
    assert len(post.letters) == 3


def test_a_letter_that_was_not_taken_is_written_again_at_the_next_round(
        served: Callable[[Security], tuple[MailServer, Post]], session: Session, settings: Settings, clock: TestClock, database: Database) -> None:
    server, post = served(Security.NONE)
    settings = replace(settings, mail_server=server)
    rounds.keep(session, "pc1", [FULL], now=clock())
    session.commit()
    post.refuses = True
    with pytest.raises(Refused, match="邮件没有发出"):
        rounds.tell(database, settings, now=clock())
    assert session.scalars(sa.select(FindingRecord.told_at)).all() == [None]
    session.rollback()
    post.refuses = False
    assert rounds.tell(database, settings, now=clock.forward(hours=1)) == 1


def test_an_administrator_enters_the_server_tries_it_and_forgets_it(
        served: Callable[[Security], tuple[MailServer, Post]], session: Session, people: People, settings: Settings,
        enter: Callable[[Viewer], FlaskClient]) -> None:
    server, post = served(Security.NONE)
    root = people("张三", Role.ADMINISTRATOR)
    session.commit()
    browser = enter(root)
    assert "还没有设置邮件服务器" in browser.post("/doctor/mail/test").get_data(as_text=True)
    fields = {"host": server.host, "port": str(server.port), "security": "none", "login": server.login, "password": "sesame",
              "sender": server.sender, "recipient": server.recipient}
    assert browser.post("/doctor/mail?setup=1", data=fields).location == "/doctor/mail?setup=1"
    page = browser.get("/doctor/mail").get_data(as_text=True)
    assert server.login in page
    assert "sesame" not in page
    assert browser.post("/doctor/mail/test").location == "/doctor/mail"
    assert [letter["Subject"] for letter in post.letters] == ["考评通测试邮件"]
    browser.post("/doctor/mail", data=fields | {"password": "", "recipient": "wang@school.cn"})  # empty: the password stays
    browser.post("/doctor/mail/test")
    assert post.letters[-1]["To"] == "wang@school.cn"
    browser.post("/doctor/mail", data=fields | {"password": "", "host": "localhost"})  # another server must not get it
    found = mail.server(session, settings)
    assert found is not None
    assert (found.host, found.password) == ("localhost", "")
    session.rollback()
    browser.post("/doctor/mail/forget")
    session.rollback()
    assert mail.server(session, settings) is None


@pytest.mark.parametrize(("field_name", "value", "told"), [
    ("host", "mail server", "主机名"), ("host", "a\r\nb", "主机名"), ("port", "70000", "端口"), ("port", "", "端口"), ("security", "ssl3", "加密方式"),
    ("sender", "zhang", "地址"), ("recipient", "a@b.cn\nBcc: x@y.cn", "地址"), ("login", "张三", "英文字母"), ("password", "a\x01b", "英文字母")])
def test_what_cannot_be_a_mail_server_is_refused_beside_the_form(session: Session, people: People, enter: Callable[[Viewer], FlaskClient],
                                                                 field_name: str, value: str, told: str) -> None:
    root = people("张三", Role.ADMINISTRATOR)
    session.commit()
    good = {"host": "smtp.school.cn", "port": "465", "security": "tls", "login": "z", "password": "p", "sender": "a@b.cn", "recipient": "c@d.cn"}
    page = enter(root).post("/doctor/mail", data=good | {field_name: value})
    assert (page.status_code, told in page.get_data(as_text=True)) == (200, True)
    assert mail.entered(session) is None


def test_the_password_lies_sealed_and_a_host_with_another_key_says_so(session: Session, settings: Settings) -> None:
    mail.enter(session, settings, {"host": "smtp.school.cn", "port": "465", "security": "tls", "login": "z", "password": "open-sesame",
                                   "sender": "a@b.cn", "recipient": "c@d.cn"})
    session.commit()
    held = mail.entered(session)
    assert held is not None
    assert b"open-sesame" not in held.password_sealed
    assert "open-sesame" not in " ".join(map(str, session.scalars(sa.select(AuditEntry.changes))))
    session.info["settings"] = settings
    assert mail.look(session).well
    session.info["settings"] = replace(settings, secret_key=b"t" * 32)
    assert "secret.key" in mail.look(session).detail
    assert not mail.look(session).well


def test_the_environment_wins_over_what_was_typed(tmp_path: Path, session: Session, settings: Settings) -> None:
    typed = {"EXAMROOM_MAIL_URL": "smtps://zhang%40school.cn:p%2Fw@smtp.school.cn/?from=a@b.cn&to=c@d.cn"}
    given = Settings.from_environment(typed, folder=tmp_path).mail_server
    assert given == MailServer("smtp.school.cn", 465, Security.TLS, "zhang@school.cn", "p/w", "a@b.cn", "c@d.cn")
    assert mail.server(session, replace(settings, mail_server=given)) == given
    assert Settings.from_environment({}, folder=tmp_path).mail_server is None


@pytest.mark.parametrize("text", ["http://smtp.school.cn/?from=a@b.cn&to=c@d.cn", "smtps://smtp.school.cn", "smtps://smtp.school.cn/?from=a&to=c@d.cn",
                                  "smtp://smtp.school.cn:99999/?from=a@b.cn&to=c@d.cn", "smtp:///?from=a@b.cn&to=c@d.cn"])
def test_a_bad_address_of_a_mail_server_stops_the_start_and_names_its_variable(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSetting, match="EXAMROOM_MAIL_URL"):
        Settings.from_environment({"EXAMROOM_MAIL_URL": text}, folder=tmp_path)
