"""Issuing, signing, revoking, reporting."""

from __future__ import annotations

import dataclasses
import logging
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import openpyxl
import pypdf
import pytest
import sqlalchemy as sa
import typst
from flask.testing import FlaskClient
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qbank.kernel import printing
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Database
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings
from scoring.certificates import desk
from scoring.certificates.face import Face, draw
from scoring.certificates.models import Certificate, Disclosure
from scoring.certificates.signing import FILE_NAME, Seal
from scoring.certificates.todo import todo
from scoring.results.models import ResultList, ResultState
from tests.conftest import MONDAY, TestClock
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    return FinalWorld(session, people)


def issued(world: FinalWorld) -> list[Certificate]:
    desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    return list(desk.certificates_of(world.session, world.results))


def text_of(pdf: bytes) -> str:
    return "".join(pypdf.PdfReader(BytesIO(pdf)).pages[0].extract_text().split())


def judged(pdf: bytes, seal: Seal) -> bool:
    """pyHanko's own verdict on the signature."""
    try:
        signature = PdfFileReader(BytesIO(pdf)).embedded_signatures[0]
        context = ValidationContext(trust_roots=list(load_certs_from_pemder_data(seal.root_pem)), moment=MONDAY,
                                    allow_fetching=False)
        return bool(validate_pdf_signature(signature, context).bottom_line)
    except Exception:  # a damaged file that cannot even be parsed is not valid either
        return False


def test_only_those_who_passed_get_a_certificate_and_the_second_call_adds_nothing(world: FinalWorld) -> None:
    assert desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY) == 2
    assert desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY) == 0
    found = desk.certificates_of(world.session, world.results)
    # prefix of the school J000043000001, year 26, level 4, serials from 1 in the order of the ticket numbers
    assert [(one.number, one.holder) for one in found] == [("J000043000001264000001", "张晓明"),
                                                           ("J000043000001264000002", "李芳")]
    assert found[0].issued_on.isoformat() == "2026-06-01"
    assert found[0].identity_masked == "430102********" + identity_number(0)[-4:]


@pytest.mark.parametrize("state", [state for state in ResultState if state is not ResultState.FINAL])
def test_nothing_is_certified_before_the_province_has_approved(world: FinalWorld, state: ResultState) -> None:
    world.results.state = state
    if state in {ResultState.DRAFT, ResultState.RETURNED}:
        world.results.noticed_at = world.results.notice_ends_at = None
    with pytest.raises(Refused, match="省审核"):
        desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)


def test_without_an_assigned_prefix_the_refusal_says_whom_to_ask(world: FinalWorld) -> None:
    world.school.certificate_prefix = None
    with pytest.raises(Refused, match="请向省鉴定中心申领") as refused:
        desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    assert refused.value.code == "no_prefix"
    world.school.certificate_prefix = "J000044000001"  # 44 is Guangdong, the school is in 430100
    with pytest.raises(Refused, match="省码 44"):
        desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)


def test_a_candidate_without_an_identity_number_is_named(world: FinalWorld) -> None:
    world.candidates[1].candidate.identity_cipher = None
    with pytest.raises(Refused, match="李芳"):
        desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)


def test_serials_go_on_across_the_plans_of_one_year_and_level(world: FinalWorld) -> None:
    issued(world)
    other = world.new_plan("JH-2026-002")
    more = world.finish(world.with_identity(world.enrol("赵六", plan=other), 10), 1)
    desk.issue(world.session, more, world.officer, cipher=CIPHER, now=MONDAY)
    assert desk.certificates_of(world.session, more)[0].number.endswith("264000003")


def test_the_year_is_that_of_china(world: FinalWorld) -> None:
    new_year = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # 2027-01-01 00:30 in China
    desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=new_year)
    assert desk.certificates_of(world.session, world.results)[0].number[13:15] == "27"


def test_a_colleague_of_another_school_and_the_offices_do_not_issue(world: FinalWorld, people: Any) -> None:
    city = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    for who in (world.stranger(), city):
        with pytest.raises(Refused, match="考务员"):
            desk.issue(world.session, world.results, who, cipher=CIPHER, now=MONDAY)


def test_a_number_or_a_result_is_never_certified_twice(world: FinalWorld, settings: Settings) -> None:
    """Two issuers drew the same numbers; the second to write collides."""
    faces = desk.next_faces(world.session, world.results, CIPHER, MONDAY.date())
    seal = Seal.of(settings.folder, now=MONDAY)
    drawn = [desk.sign(key, face, seal, settings, now=MONDAY) for key, face in faces]
    desk.write(world.session, drawn[:1], world.officer, CIPHER)
    for again in (drawn[0], dataclasses.replace(drawn[1], face=drawn[0].face)):
        with pytest.raises(IntegrityError), world.session.begin_nested():
            desk.write(world.session, [again], world.officer, CIPHER)


def test_the_pdf_says_what_the_row_says(world: FinalWorld) -> None:
    text = text_of(issued(world)[0].pdf)
    for printed in ("职业技能等级证书", "张晓明", identity_number(0), "电工", "四级/中级工", "J000043000001264000001",
                    "湘江技师学院（演示）", "2026年6月1日", "评价并颁发", "http://127.0.0.1:8000/certificates/query"):
        assert printed in text


def test_the_signature_holds_and_one_changed_byte_breaks_it(world: FinalWorld, settings: Settings) -> None:
    pdf = issued(world)[0].pdf
    seal = Seal.of(settings.folder, now=MONDAY)
    assert judged(pdf, seal)
    signature = PdfFileReader(BytesIO(pdf)).embedded_signatures[0]
    assert signature.self_reported_timestamp == MONDAY  # the time that was handed in, not the machine's
    for place in (200, len(pdf) // 4, len(pdf) // 2, len(pdf) - 40):
        changed = bytearray(pdf)
        changed[place] ^= 1
        assert not judged(bytes(changed), seal), place


def test_the_signature_of_another_installation_is_not_trusted(world: FinalWorld, tmp_path: Any) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert not judged(issued(world)[0].pdf, Seal.of(other, now=MONDAY))


def test_the_key_is_made_once_kept_private_and_never_replaced(tmp_path: Any) -> None:
    first = Seal.of(tmp_path, now=MONDAY)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
    assert Seal.of(tmp_path, now=MONDAY).root_pem == first.root_pem
    (tmp_path / FILE_NAME).write_bytes(b"damaged")
    with pytest.raises(Refused, match="备份"):
        Seal.of(tmp_path, now=MONDAY)
    assert (tmp_path / FILE_NAME).read_bytes() == b"damaged"


def test_a_machine_without_fonts_prints_chinese_from_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the wheel's folder is offered, no system fonts: the text must still come out."""
    assert printing.wheel_folder() is not None
    real = typst.Fonts
    seen: list[dict[str, Any]] = []

    def watched(**options: Any) -> typst.Fonts:
        seen.append(options)
        return real(**options)

    monkeypatch.setattr(typst, "Fonts", watched)
    printing._fonts.cache_clear()
    face = Face("J000043000001264000001", "欧阳清风", identity_number(0), "电工", "6-31-01-03", "", 4, "湘江技师学院（演示）",
                MONDAY.date())
    pdf = draw(face, "http://127.0.0.1:8000", made_at=MONDAY)
    assert seen[0]["include_system_fonts"] is False
    assert "职业技能等级证书" in text_of(pdf)
    assert pdf == draw(face, "http://127.0.0.1:8000", made_at=MONDAY)


def test_without_any_chinese_font_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "FAMILIES", ("No Such Font",))
    printing._fonts.cache_clear()
    with pytest.raises(Refused, match="manimgx-fonts-cjk"):
        printing.typeset("文", {}, made_at=MONDAY)
    printing._fonts.cache_clear()


def test_markup_in_a_name_is_printed_as_it_is(world: FinalWorld) -> None:
    world.candidates[0].candidate.name = '#panic("x") *阿依*·$a$'
    assert '#panic("x")*阿依*·$a$' in text_of(issued(world)[0].pdf)


def test_the_identity_number_stays_out_of_logs_and_trail(world: FinalWorld, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        issued(world)
        world.session.commit()
    number = identity_number(0)
    assert number not in caplog.text
    assert number not in repr(desk.next_faces(world.session, world.results, CIPHER, MONDAY.date()))
    trail = "".join(world.session.scalars(sa.select(AuditEntry.changes).where(AuditEntry.table_name == "certificates")))
    assert "J000043000001264000001" in trail
    assert number not in trail
    assert CIPHER.fingerprint(number) not in trail


def test_a_revoked_certificate_stays_and_its_number_is_not_used_again(world: FinalWorld) -> None:
    second = issued(world)[1]
    with pytest.raises(Refused, match="原因"):
        desk.revoke(world.session, second, world.officer, " ", now=MONDAY)
    desk.revoke(world.session, second, world.officer, "替考，经核实", now=MONDAY)
    with pytest.raises(Refused, match="不能再次注销"):
        desk.revoke(world.session, second, world.officer, "再来一次", now=MONDAY)
    assert desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY) == 0
    other = world.new_plan("JH-2026-003")
    more = world.finish(world.with_identity(world.enrol("钱七", plan=other), 20), 1)
    desk.issue(world.session, more, world.officer, cipher=CIPHER, now=MONDAY)
    assert desk.certificates_of(world.session, more)[0].number.endswith("000003")


def test_the_work_list_names_final_lists_without_certificates(world: FinalWorld) -> None:
    assert [one.values for one in todo(world.session, world.officer, now=MONDAY)] == [{"list_id": world.results.id}]
    assert todo(world.session, world.stranger(), now=MONDAY) == []
    issued(world)
    assert [one.title.split("：")[0] for one in todo(world.session, world.officer, now=MONDAY)] == ["上报证书数据"]


# The pages

def test_the_officer_issues_downloads_and_reports(world: FinalWorld, enter: Enter, session: Session,
                                                  clock: TestClock) -> None:
    world.candidates[0].candidate.name = "=HYPERLINK(1)"
    session.commit()
    browser = enter(world.officer)
    page = f"/certificates/lists/{world.results.id}"
    assert "制作 2 份证书" in browser.get(page).get_data(as_text=True)
    asked = browser.post(f"{page}/issue")
    assert asked.status_code == 302
    session.expire_all()
    job = session.scalars(sa.select(Job)).one()
    assert (job.state, job.result_url) == (JobState.DONE, page)
    session.commit()
    shown = browser.get(page).get_data(as_text=True)
    assert "J000043000001264000002" in shown
    assert identity_number(0) not in shown
    assert browser.post(f"{page}/issue").status_code == 409

    found = session.scalars(sa.select(Certificate).order_by(Certificate.number)).first()
    assert found is not None
    session.commit()
    assert browser.get(f"/certificates/{found.id}/pdf").status_code == 405  # reading is a record: by POST only
    pdf = browser.post(f"/certificates/{found.id}/pdf")
    assert pdf.data.startswith(b"%PDF")
    archive = ZipFile(BytesIO(browser.post(f"{page}/pdfs").data))
    assert len(archive.namelist()) == 2
    made = browser.post(f"{page}/report", data={"kind": "new"}).location
    sheet = openpyxl.load_workbook(BytesIO(browser.post(f"{made}/file").data)).active
    assert sheet is not None
    assert sheet["B2"].value == "=HYPERLINK(1)"
    assert sheet["B2"].data_type == "s"  # text, no formula
    taken = session.scalars(sa.select(Disclosure).order_by(Disclosure.id)).all()
    assert [(one.what.value, one.people) for one in taken] == [("certificate", 1), ("all_certificates", 2), ("report", 2)]
    session.commit()
    assert "导出上报数据" in browser.get(page).get_data(as_text=True)
    register = browser.get(f"{page}/register").get_data(as_text=True)
    assert "领取人签名" in register
    assert identity_number(0) not in register


def test_revoking_on_the_page_needs_a_reason_and_keeps_what_was_typed(world: FinalWorld, enter: Enter,
                                                                      session: Session) -> None:
    found = issued(world)[0]
    session.commit()
    browser = enter(world.officer)
    assert browser.post(f"/certificates/{found.id}/revoke", data={}).status_code == 409
    refused = browser.post(f"/certificates/{found.id}/revoke", data={"reason": "错"})
    assert refused.status_code == 409
    assert "错</textarea>" in refused.get_data(as_text=True)
    assert browser.post(f"/certificates/{found.id}/revoke", data={"reason": "替考，经核实"}).status_code == 302
    assert "替考，经核实" in browser.get(f"/certificates/{found.id}").get_data(as_text=True)
    again = browser.post(f"/certificates/{found.id}/revoke", data={"reason": "再来一次"})
    assert "不能再次注销" in again.get_data(as_text=True)


def doors(list_id: int, certificate_id: int) -> list[tuple[str, str]]:
    page, one = f"/certificates/lists/{list_id}", f"/certificates/{certificate_id}"
    return [("GET", page), ("GET", f"{page}/register"), ("POST", f"{page}/issue"),
            ("POST", f"{page}/pdfs"), ("GET", one), ("POST", f"{one}/pdf"), ("POST", f"{one}/revoke")]


def test_every_door_is_shut_to_strangers(world: FinalWorld, enter: Enter, session: Session, people: Any) -> None:
    found = issued(world)[0]
    candidate = world.as_candidate(world.candidates[0])
    stranger, far_city = world.stranger(), people("外市", scopes=[Scope(Role.CITY_OFFICER, region="4304")])
    session.commit()
    for who, status in ((stranger, {404}), (candidate, {403}), (far_city, {403, 404})):
        browser = enter(who)
        assert found.number not in browser.get("/certificates/").get_data(as_text=True)
        for method, address in doors(world.results.id, found.id):
            assert browser.open(address, method=method).status_code in status, (who.name, method, address)


def test_the_offices_read_and_do_not_take(world: FinalWorld, enter: Enter, session: Session, people: Any) -> None:
    found = issued(world)[0]
    city = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")])
    session.commit()
    browser = enter(city)
    for method, address in doors(world.results.id, found.id):
        assert browser.open(address, method=method).status_code == (200 if method == "GET" else 403), (method, address)
    assert "下载 PDF" not in browser.get(f"/certificates/lists/{world.results.id}").get_data(as_text=True)


def test_a_list_that_is_not_final_has_no_certificate_page(world: FinalWorld, enter: Enter, session: Session) -> None:
    world.results.state = ResultState.SUBMITTED
    session.commit()
    browser = enter(world.officer)
    assert browser.get(f"/certificates/lists/{world.results.id}").status_code == 404
    assert browser.get("/certificates/?q=%25&page=x").status_code == 200
    assert "没有可以发证的认定结果" in browser.get("/certificates/").get_data(as_text=True)


def test_what_was_broken_off_goes_on_with_the_same_numbers(world: FinalWorld) -> None:
    """The machine stops after the numbers were given: nobody else gets them, and nothing is left out."""
    given = desk.next_faces(world.session, world.results, CIPHER, MONDAY.date())
    world.session.commit()
    other = world.new_plan("JH-2026-009")
    rival = world.finish(world.with_identity(world.enrol("孙八", plan=other), 30), 1)
    desk.issue(world.session, rival, world.officer, cipher=CIPHER, now=MONDAY)
    assert [one.number[-6:] for one in desk.certificates_of(world.session, rival)] == ["000003"]
    new_year = MONDAY.replace(year=2027)
    desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=new_year)
    found = desk.certificates_of(world.session, world.results)
    assert [one.number for one in found] == [face.number for _, face in given]
    assert {one.issued_on.year for one in found} == {2026}  # the year that stands in the number


def test_four_officers_issue_at_once_and_the_serials_have_no_gap(world: FinalWorld, database: Database, settings: Settings) -> None:
    """Four lists of one school, year and level, each issued in a thread of its own, in chunks of two."""
    lists = [world.finish(world.with_identity(world.enrol(*(f"考生{place}{n}" for n in range(5)), plan=world.new_plan(f"JH-2026-1{place}")), 40 + 5 * place), 5)
             for place in range(4)]
    world.session.commit()
    keys, starting, seal = [one.id for one in lists], threading.Barrier(4), Seal.of(settings.folder, now=MONDAY)

    def issue_all(key: int) -> None:
        starting.wait(30)
        for _ in range(3):
            with database.transaction(world.officer.actor) as session:
                faces = desk.next_faces(session, session.get_one(ResultList, key), CIPHER, MONDAY.date(), most=2)
            drawn = [desk.sign(result_id, face, seal, settings, now=MONDAY) for result_id, face in faces]
            with database.transaction(world.officer.actor) as session:
                desk.write(session, drawn, world.officer, CIPHER)

    with ThreadPoolExecutor(4) as officers:
        list(officers.map(issue_all, keys))
    found = [one.number for key in keys for one in desk.certificates_of(world.session, world.session.get_one(ResultList, key))]
    assert sorted(found) == [f"J000043000001264{serial:06d}" for serial in range(1, 21)]


def test_a_list_that_two_jobs_issue_at_once_is_certified_once(world: FinalWorld, enter: Enter, session: Session,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    """Between drawing and writing somebody else writes the first certificate of the same list."""
    session.commit()
    real = desk.write
    calls: list[int] = []

    def raced(within: Session, drawn: Any, who: Viewer, cipher: Any) -> int:
        if not calls:
            calls.append(1)
            real(within, drawn[:1], who, cipher)
            within.commit()
        return real(within, drawn, who, cipher)

    monkeypatch.setattr(desk, "write", raced)
    enter(world.officer).post(f"/certificates/lists/{world.results.id}/issue")
    session.expire_all()
    assert [one.number[-6:] for one in desk.certificates_of(session, world.results)] == ["000001", "000002"]
