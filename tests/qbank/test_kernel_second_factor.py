"""The second step of a sign-in: what a code opens, how often, and what two persons can do when it is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pyotp
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel import factor_resets, second_factor
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.audit import AuditEntry
from qbank.kernel.commands import Installation, group
from qbank.kernel.factor_resets import FactorReset, ResetState
from qbank.kernel.keyring import open_bytes
from qbank.kernel.refused import Refused
from qbank.kernel.second_factor import RecoveryCode, UsedStep
from qbank.kernel.settings import BadSetting, Settings
from tests.conftest import PASSWORD, People, TestClock

Enter = Callable[[Viewer], FlaskClient]
HOME = "/accounts/second-factor"
ROOMS = "/plans/rooms"
WRONG = "验证码不正确或已经用过"


@pytest.fixture
def zhou(session: Session, people: People) -> Viewer:
    found = people("考务周敏", Role.EXAM_OFFICER)
    session.commit()
    return found


def typed(secret: str, clock: TestClock, steps: int = 0) -> str:
    """What the person's telephone shows now; ``steps``: how far its clock is off."""
    return pyotp.TOTP(secret).at(int(clock().timestamp()) + 30 * steps)


def enrol(client: FlaskClient, clock: TestClock, *, password: str = PASSWORD) -> tuple[str, list[str]]:
    """Scan, type, confirm: the secret and the ten recovery codes."""
    page = client.get(f"{HOME}/new").get_data(as_text=True)
    secret = re.sub(r"\s", "", re.findall(r'<p class="hash">([A-Z2-7 ]+)</p>', page)[0])
    offer = re.findall(r'name="offer" value="([^"]+)"', page)[0]
    answer = client.post(f"{HOME}/new", data={"offer": offer, "code": typed(secret, clock), "password": password}).get_data(as_text=True)
    return secret, re.findall(r"<li><code>([\w-]+)</code></li>", answer)


@pytest.fixture
def secret(zhou: Viewer, enter: Enter, clock: TestClock) -> str:
    """周敏 has enrolled a telephone; the next code is due."""
    made, _ = enrol(enter(zhou), clock)
    clock.forward(seconds=30)
    return made


def half(app: Flask, person: Viewer, **fields: str) -> FlaskClient:
    """A browser in which the password was typed."""
    client = app.test_client()
    answer = client.post("/accounts/sign-in", data={"login": person.login, "password": PASSWORD} | fields)
    assert (answer.status_code, "验证码" in answer.get_data(as_text=True)) == (200, True)
    return client


def check(client: FlaskClient, code: str, **fields: str) -> tuple[int, str]:
    answer = client.post(f"{HOME}/check", data={"code": code} | fields)
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize(("moment", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")])
def test_codes_are_those_of_rfc_6238(moment: int, code: str) -> None:
    """Appendix B of the RFC, the last six of its eight digits; the secret is the ASCII text 12345678901234567890."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    at = datetime.fromtimestamp(moment, UTC)
    assert second_factor._step_of(secret, code, at) == moment // 30
    assert second_factor._step_of(secret, code[::-1], at) is None


def test_after_the_password_only_the_code_opens_the_doors(app: Flask, zhou: Viewer, secret: str, clock: TestClock) -> None:
    client = half(app, zhou)
    for door in ("/", "/plans/", HOME):
        assert client.get(door).headers["Location"].startswith("/accounts/sign-in?next=")
    assert check(client, "000000")[0] == 200
    assert client.get("/").status_code == 302
    answer = client.post(f"{HOME}/check", data={"code": typed(secret, clock), "next": "/plans/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/plans/")
    assert client.get("/plans/").status_code == 200


def test_a_code_counts_once_and_none_before_it_ever_again(app: Flask, zhou: Viewer, secret: str, clock: TestClock) -> None:
    code, before = typed(secret, clock), typed(secret, clock, -1)
    assert check(half(app, zhou), code)[0] == 302
    for again in (code, before):
        status, page = check(half(app, zhou), again)
        assert (status, WRONG in page) == (200, True)
    clock.forward(seconds=30)
    assert check(half(app, zhou), typed(secret, clock))[0] == 302


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_telephone_may_be_half_a_minute_off(steps: int, good: bool, app: Flask, zhou: Viewer, secret: str, clock: TestClock) -> None:
    clock.forward(minutes=5)
    assert check(half(app, zhou), typed(secret, clock, steps))[0] == (302 if good else 200)


def test_of_two_browsers_with_one_code_one_comes_in(app: Flask, zhou: Viewer, secret: str, clock: TestClock) -> None:
    browsers, code = [half(app, zhou), half(app, zhou)], typed(secret, clock)
    with ThreadPoolExecutor(2) as crowd:
        assert sorted(crowd.map(lambda client: check(client, code)[0], browsers)) == [200, 302]


def test_a_recovery_code_stands_in_once(app: Flask, zhou: Viewer, enter: Enter, session: Session, clock: TestClock) -> None:
    _, codes = enrol(enter(zhou), clock)
    assert (len(codes), len(set(codes))) == (10, 10)
    assert check(half(app, zhou), codes[3].upper().replace("-", " "))[0] == 302  # as somebody copies it from paper
    status, page = check(half(app, zhou), codes[3])
    assert (status, WRONG in page) == (200, True)
    assert check(half(app, zhou), codes[4][0] + codes[5][1:])[0] == 200  # another's place
    client = half(app, zhou)
    assert check(client, codes[9])[0] == 302
    assert "8 个" in client.get(HOME).get_data(as_text=True)
    used = session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "recovery_codes", AuditEntry.action == "update")).all()
    assert [entry.actor_name for entry in used] == ["考务周敏", "考务周敏"]


def test_guessing_is_locked_out_and_a_good_password_does_not_begin_anew(app: Flask, zhou: Viewer, secret: str, clock: TestClock) -> None:
    for _ in range(5):
        assert WRONG in check(half(app, zhou), "000000")[1]
    status, page = check(half(app, zhou), typed(secret, clock))
    assert (status, "已暂时锁定" in page) == (200, True)
    clock.forward(minutes=16)
    assert check(half(app, zhou), typed(secret, clock))[0] == 302


def test_the_password_is_good_for_five_minutes_and_until_something_changes(app: Flask, zhou: Viewer, secret: str, session: Session,
                                                                         clock: TestClock) -> None:
    late = half(app, zhou)
    clock.forward(minutes=6)
    assert late.post(f"{HOME}/check", data={"code": typed(secret, clock)}).headers["Location"] == "/accounts/sign-in"
    assert app.test_client().get(f"{HOME}/check").headers["Location"] == "/accounts/sign-in"
    ended = half(app, zhou)
    session.get_one(Account, zhou.account_id, populate_existing=True).generation += 1
    session.commit()
    assert ended.post(f"{HOME}/check", data={"code": typed(secret, clock)}).headers["Location"] == "/accounts/sign-in"


def test_a_filled_form_outlives_the_second_step(app: Flask, zhou: Viewer, secret: str, clock: TestClock) -> None:
    client = half(app, zhou)
    assert check(client, typed(secret, clock))[0] == 302
    clock.forward(minutes=31)
    expired = client.post(ROOMS, data={"name": "第九机房", "seats": "40"})
    kept = re.findall(r'name="kept" value="([^"]+)"', expired.get_data(as_text=True))[0]
    again = client.post("/accounts/sign-in", data={"login": zhou.login, "password": PASSWORD, "kept": kept}).get_data(as_text=True)
    assert kept in again
    assert "第九机房" in check(client, typed(secret, clock), kept=kept)[1]


def test_enrolling_asks_for_the_password_and_ends_what_was_open_elsewhere(zhou: Viewer, enter: Enter, session: Session, clock: TestClock,
                                                                        settings: Settings) -> None:
    elsewhere, client = enter(zhou), enter(zhou)
    assert enrol(client, clock, password="falsch-geraten")[1] == []
    assert session.scalar(sa.select(Account.totp_since).where(Account.id == zhou.account_id)) is None
    session.rollback()
    secret, codes = enrol(client, clock)
    assert len(codes) == 10
    assert (client.get(HOME).status_code, elsewhere.get(HOME).status_code) == (200, 302)
    account = session.get_one(Account, zhou.account_id, populate_existing=True)
    assert account.totp_sealed is not None
    assert secret.encode() not in account.totp_sealed
    trail = "\n".join(session.scalars(sa.select(AuditEntry.changes)))
    hashes = session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert not any(word in trail for word in (secret, *codes, *hashes, account.totp_sealed.hex()))
    assert all(one.startswith("$argon2id$") for one in hashes)
    with pytest.raises(Refused, match="pack_damaged"):  # under another account's name it does not open
        open_bytes(second_factor.sealing_key(settings.code_key), account.totp_sealed, b"totp 999")


def test_an_offer_is_its_own_persons_and_grows_old(zhou: Viewer, enter: Enter, people: People, session: Session, clock: TestClock) -> None:
    other = people("考务吴敏", Role.EXAM_OFFICER)
    session.commit()
    page = enter(other).get(f"{HOME}/new").get_data(as_text=True)
    offer = re.findall(r'name="offer" value="([^"]+)"', page)[0]
    for one in (offer, "", "x.y.z"):
        answer = enter(zhou).post(f"{HOME}/new", data={"offer": one, "code": "000000", "password": PASSWORD}).get_data(as_text=True)
        assert "二维码已失效" in answer
    assert session.scalar(sa.select(sa.func.count()).select_from(UsedStep)) == 0


def test_new_recovery_codes_and_turning_off_ask_for_password_and_code(app: Flask, zhou: Viewer, secret: str, session: Session,
                                                                     clock: TestClock) -> None:
    client = half(app, zhou)
    check(client, typed(secret, clock))
    before = session.scalars(sa.select(RecoveryCode.code_hash)).all()
    session.rollback()
    clock.forward(seconds=30)
    assert "密码不正确" in client.post(f"{HOME}/codes", data={"password": "x", "code": typed(secret, clock)}).get_data(as_text=True)
    assert WRONG in client.post(f"{HOME}/codes", data={"password": PASSWORD, "code": "000000"}).get_data(as_text=True)
    fresh = client.post(f"{HOME}/codes", data={"password": PASSWORD, "code": typed(secret, clock)}).get_data(as_text=True)
    codes = re.findall(r"<li><code>([\w-]+)</code></li>", fresh)
    assert not set(before) & set(session.scalars(sa.select(RecoveryCode.code_hash)))
    session.rollback()
    assert WRONG in client.post(f"{HOME}/off", data={"password": PASSWORD, "code": typed(secret, clock)}).get_data(as_text=True)  # used above
    assert client.post(f"{HOME}/off", data={"password": PASSWORD, "code": codes[0]}).status_code == 302
    account = session.get_one(Account, zhou.account_id)
    assert (account.totp_sealed, account.totp_since) == (None, None)
    assert session.scalars(sa.select(RecoveryCode)).all() == []


def test_who_comes_by_the_exam_door_has_no_other_role(app: Flask, session: Session, people: People, enter: Enter, clock: TestClock) -> None:
    both = people("学员兼命题员", Role.CANDIDATE, Role.ITEM_AUTHOR)
    session.commit()
    client = enter(both)
    enrol(client, clock)
    assert client.get("/items/").status_code == 200
    with client.session_transaction() as cookie:
        del cookie["second"]  # as the exam door signs in: ticket and identity number, no second step
    assert (client.get("/items/").status_code, client.get("/exam/hall").status_code) == (403, 200)


def test_a_role_that_must_is_led_to_enrol_before_anything_else(app: Flask, zhou: Viewer, enter: Enter, people: People, session: Session,
                                                              clock: TestClock) -> None:
    author = people("命题何工", Role.ITEM_AUTHOR)
    session.commit()
    held: Settings = app.extensions["examroom"]["settings"]
    app.extensions["examroom"]["settings"] = replace(held, totp_roles=frozenset({"exam_officer"}))
    client = enter(zhou)
    assert client.get("/plans/").headers["Location"] == f"{HOME}/new"
    assert client.post(ROOMS, data={"name": "x"}).headers["Location"] == f"{HOME}/new"
    enrol(client, clock)
    assert client.get("/plans/").status_code == 200
    assert "必须使用两步验证" in client.get(HOME).get_data(as_text=True)
    assert enter(author).get("/items/").status_code == 200


def test_the_setting_names_roles_of_the_staff_only(settings: Settings) -> None:
    def read(text: str) -> frozenset[str]:
        return Settings.from_environment({"EXAMROOM_TOTP_ROLES": text}, folder=settings.folder).totp_roles

    assert read(" exam_officer, administrator ") == {Role.EXAM_OFFICER, Role.ADMINISTRATOR}
    assert read("") == frozenset()
    for wrong in ("candidate", "officer", "exam_officer;administrator"):
        with pytest.raises(BadSetting, match="EXAMROOM_TOTP_ROLES"):
            read(wrong)


def test_a_lost_telephone_takes_two_persons(app: Flask, zhou: Viewer, secret: str, session: Session, people: People, enter: Enter,
                                           clock: TestClock) -> None:
    tan, other = (people(name, scopes=[Scope(Role.ADMINISTRATOR)]) for name in ("谭晓", "何敏"))
    colleague = people("考务吴敏", Role.EXAM_OFFICER)
    stranger = people("考务远方", Role.EXAM_OFFICER, school=people.school("二技"))
    session.commit()
    asking = enter(tan)
    address = f"/accounts/{zhou.account_id}/second-factor/reset"
    assert "已启用" in asking.get(f"/accounts/{zhou.account_id}").get_data(as_text=True)
    assert asking.post(address, data={"reason": " "}).status_code == 409
    assert asking.post(f"/accounts/{other.account_id}/second-factor/reset", data={"reason": "丢失"}).status_code == 409  # has none
    assert asking.post(address, data={"reason": "手机丢失，已核对工作证"}).status_code == 302
    assert asking.post(address, data={"reason": "再来一次"}).status_code == 409
    reset = session.scalars(sa.select(FactorReset)).one()
    titles = [one.title for one in factor_resets.todo(session, colleague, now=clock())]
    assert titles == ["核准重置两步验证：考务周敏"]
    assert factor_resets.todo(session, tan, now=clock()) == factor_resets.todo(session, stranger, now=clock()) == []
    door = f"{HOME}/resets/{reset.id}"
    session.rollback()
    assert asking.post(door, data={"agrees": "1"}).status_code == 409  # not the one who asked
    assert enter(stranger).post(door, data={"agrees": "1"}).status_code == 404
    assert "考务周敏" not in enter(stranger).get(f"{HOME}/resets").get_data(as_text=True)
    working = half(app, zhou)
    assert check(working, typed(secret, clock))[0] == 302
    assert working.post(door, data={"agrees": "1"}).status_code == 409  # nor oneself
    deciding = enter(colleague)
    assert "手机丢失，已核对工作证" in deciding.get(f"{HOME}/resets").get_data(as_text=True)
    assert deciding.post(door, data={"agrees": "1", "comment": "当面确认"}).status_code == 302
    assert working.get("/plans/").status_code == 302  # every sign-in has ended
    enter(zhou)  # the password is enough again
    session.refresh(reset)
    assert (reset.state, reset.asker.name, reset.decider and reset.decider.name) == (ResetState.DONE, "谭晓", "考务吴敏")
    told = session.scalars(sa.select(AuditEntry.actor_name).where(AuditEntry.table_name == "factor_resets").order_by(AuditEntry.id)).all()
    assert told == ["谭晓", "考务吴敏"]
    session.rollback()
    assert deciding.post(door, data={"agrees": "0", "comment": "x"}).status_code == 409  # decided once


def test_a_refused_reset_needs_a_word_and_changes_nothing(zhou: Viewer, secret: str, session: Session, people: People, clock: TestClock) -> None:
    tan, other = (people(name, scopes=[Scope(Role.ADMINISTRATOR)]) for name in ("谭晓", "何敏"))
    account = session.get_one(Account, zhou.account_id, populate_existing=True)
    reset = factor_resets.ask(session, account, "来电说手机丢了", tan, now=clock())
    with pytest.raises(Refused, match="comment_missing"):
        factor_resets.decide(session, reset, False, "", other, now=clock())
    factor_resets.decide(session, reset, False, "不是本人来电", other, now=clock())
    assert (reset.state, account.totp_since is not None) == (ResetState.REFUSED, True)
    with pytest.raises(Refused, match="oneself"):
        factor_resets.ask(session, account, "我的手机", zhou, now=clock())


def test_a_new_password_from_the_administrator_leaves_the_second_step(app: Flask, zhou: Viewer, secret: str, session: Session, people: People,
                                                                     enter: Enter) -> None:
    tan = people("谭晓", scopes=[Scope(Role.ADMINISTRATOR)])
    session.commit()
    page = enter(tan).post(f"/accounts/{zhou.account_id}/reset").get_data(as_text=True)
    password = re.findall(r'<p class="password-slip">(\w+)</p>', page)[0]
    client = app.test_client()
    answer = client.post("/accounts/sign-in", data={"login": zhou.login, "password": password})
    assert "验证码" in answer.get_data(as_text=True)
    assert client.get("/").status_code == 302


def test_where_nobody_could_agree_whoever_has_the_console_turns_it_off(app: Flask, zhou: Viewer, secret: str, session: Session, enter: Enter) -> None:
    held = app.extensions["examroom"]
    installation = Installation(held["settings"].folder)
    installation.database = held["database"]

    def run(login: str) -> Result:
        return CliRunner().invoke(group, ["reset-factor", login], obj=installation)

    assert "no account 'nobody'" in run("nobody").output
    assert run(zhou.login).exit_code == 0
    enter(zhou)  # the password is enough again
    told = session.scalars(sa.select(AuditEntry.actor_name).where(AuditEntry.table_name == "accounts").order_by(AuditEntry.id.desc()).limit(1)).one()
    assert told == "命令行"
    session.rollback()
    assert "has no second step" in run(zhou.login).output
