"""The seal on certificates, photos, and copies made in place of lost, damaged or wrong ones."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pypdf
import pytest
from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session

from examroom.plans import photos
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import from_bytes
from qbank.kernel.printing import drawing
from qbank.kernel.refused import Refused
from scoring.certificates import desk, replacing, seals
from scoring.certificates.models import Certificate, ReplacementCause, ReplacementState
from scoring.certificates.signing import Seal
from scoring.certificates.todo import todo
from tests.conftest import MONDAY
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number
from tests.scoring.test_certificates import Enter, judged, text_of

LATER = MONDAY.replace(month=9)


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    return FinalWorld(session, people)


@pytest.fixture
def second(world: FinalWorld, people: Any) -> Viewer:
    """Another exam officer of the same school."""
    viewer: Viewer = people("周敏", Role.EXAM_OFFICER, school=world.school)
    return viewer


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 420), colour: str = "red") -> bytes:
    stream = BytesIO()
    Image.new("RGB", size, colour).save(stream, kind)
    return stream.getvalue()


def first_certificate(world: FinalWorld) -> Certificate:
    desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    return desk.certificates_of(world.session, world.results)[0]


def pictures_in(pdf: bytes) -> int:
    return len(pypdf.PdfReader(BytesIO(pdf)).pages[0].images)


def test_the_photo_and_the_seal_are_printed_and_the_photos_hash_is_kept(world: FinalWorld) -> None:
    photo = photos.keep(world.session, world.candidates[0], picture("JPEG"), world.officer, now=MONDAY)
    seals.set_seal(world.session, world.school, from_bytes(picture(size=(60, 60)), "章.png"), world.officer, now=MONDAY)
    with_photo = first_certificate(world)
    without = desk.certificates_of(world.session, world.results)[1]
    assert (with_photo.photo_id, without.photo_id) == (photo.id, None)
    assert (pictures_in(with_photo.pdf), pictures_in(without.pdf)) == (2, 1)  # photo and seal; the seal alone


def test_a_seal_is_a_png_of_ones_own_school(world: FinalWorld) -> None:
    with pytest.raises(Refused, match="PNG"):
        seals.set_seal(world.session, world.school, from_bytes(picture("JPEG"), "章.png"), world.officer, now=MONDAY)
    with pytest.raises(Refused, match="权限不包括该校"):
        seals.set_seal(world.session, world.school, from_bytes(picture(), "章.png"), world.stranger(), now=MONDAY)
    assert seals.picture_of(world.session, world.school) is None


def test_a_specimen_says_that_it_is_none(world: FinalWorld) -> None:
    shown = text_of(seals.specimen(world.session, world.school, "http://x", now=MONDAY))
    assert "样张" in shown
    assert "无效" in shown
    assert identity_number(0) not in shown


def test_a_picture_keeps_its_shape() -> None:
    assert 'viewBox="0 0 300 420"' in drawing(picture(), "image/png").svg


def test_a_lost_certificate_is_made_again_under_its_number_and_the_first_copy_is_kept(world: FinalWorld, second: Viewer) -> None:
    certificate = first_certificate(world)
    number, before = certificate.number, certificate.pdf
    asked = replacing.ask(world.session, certificate, ReplacementCause.LOST, "本人书面申请，声明遗失", world.officer, now=LATER)
    replacing.decide(world.session, asked, second, True, "", cipher=CIPHER, now=LATER)
    assert (certificate.number, asked.state, asked.previous_pdf) == (number, ReplacementState.MADE, before)
    assert certificate.pdf != before
    shown = text_of(certificate.pdf)
    assert "补发日期：2026年9月1日" in shown
    assert "发证日期：2026年6月1日" in shown
    settings = world.session.info["jobs"].settings
    assert judged(certificate.pdf, Seal.of(settings.folder, now=LATER))
    assert certificate.replaced_at == LATER


def test_a_corrected_name_is_printed_and_found_by_the_public_query(world: FinalWorld, second: Viewer) -> None:
    certificate = first_certificate(world)
    with pytest.raises(Refused, match="请先更正考生信息"):
        replacing.ask(world.session, certificate, ReplacementCause.CORRECTED, "姓名有误", world.officer, now=LATER)
    certificate.result.enrolment.candidate.name = "张小明"
    asked = replacing.ask(world.session, certificate, ReplacementCause.CORRECTED, "姓名有误", world.officer, now=LATER)
    assert not desk.look_up(world.session, number=certificate.number, name="张小明", cipher=CIPHER)
    replacing.decide(world.session, asked, second, True, "", cipher=CIPHER, now=LATER)
    assert desk.look_up(world.session, number=certificate.number, name="张小明", cipher=CIPHER) == [certificate]
    assert "张小明" in text_of(certificate.pdf)


def test_nobody_decides_on_his_own_request_and_nothing_is_decided_twice(world: FinalWorld, second: Viewer) -> None:
    certificate = first_certificate(world)
    asked = replacing.ask(world.session, certificate, ReplacementCause.DAMAGED, "污损", world.officer, now=LATER)
    with pytest.raises(Refused, match="不能核准自己的申请"):
        replacing.decide(world.session, asked, world.officer, True, "", cipher=CIPHER, now=LATER)
    with pytest.raises(Refused, match="已有一份补换发申请"):
        replacing.ask(world.session, certificate, ReplacementCause.LOST, "又遗失", world.officer, now=LATER)
    with pytest.raises(Refused, match="不同意时请写明原因"):
        replacing.decide(world.session, asked, second, False, " ", cipher=CIPHER, now=LATER)
    replacing.decide(world.session, asked, second, False, "未附原证书", cipher=CIPHER, now=LATER)
    with pytest.raises(Refused, match="已经处理过"):
        replacing.decide(world.session, asked, second, True, "", cipher=CIPHER, now=LATER)
    assert (asked.previous_pdf, certificate.replaced_at) == (None, None)


def test_a_revoked_certificate_is_not_made_again(world: FinalWorld, second: Viewer) -> None:
    certificate = first_certificate(world)
    asked = replacing.ask(world.session, certificate, ReplacementCause.LOST, "遗失", world.officer, now=LATER)
    desk.revoke(world.session, certificate, world.officer, "冒名顶替", now=LATER)
    with pytest.raises(Refused, match="已注销"):
        replacing.decide(world.session, asked, second, True, "", cipher=CIPHER, now=LATER)


def test_the_pages_of_seals_and_copies(app: Flask, world: FinalWorld, second: Viewer, enter: Enter) -> None:
    app.config.update(WTF_CSRF_ENABLED=False)
    certificate, away = first_certificate(world), world.stranger()
    world.session.commit()
    asking, deciding, stranger = enter(world.officer), enter(second), enter(away)
    upload = {"institution_id": world.school.id, "picture": (BytesIO(picture(size=(60, 60))), "章.png")}
    assert asking.post("/certificates/seals", data=upload).status_code == 302
    page = asking.get("/certificates/seals").get_data(as_text=True)
    assert "更换" in page
    assert asking.get("/certificates/seals/1/picture").data == picture(size=(60, 60))
    assert stranger.get("/certificates/seals/1/picture").status_code == 404
    assert asking.post("/certificates/seals/specimen", data={"institution_id": world.school.id}).data.startswith(b"%PDF")
    assert "请选择您负责的学校" in stranger.post("/certificates/seals/specimen", data={
        "institution_id": world.school.id}).get_data(as_text=True)
    address = f"/certificates/{certificate.id}/replacements"
    assert "请选择补换发的原因" in asking.post(address, data={"cause": "x", "why": "遗失"}).get_data(as_text=True)
    assert asking.post(address, data={"cause": "lost", "why": "本人声明遗失"}).status_code == 302
    assert stranger.post(address, data={"cause": "lost", "why": "遗失"}).status_code == 404
    assert "须由另一名考务人员核准" in asking.get(f"/certificates/{certificate.id}").get_data(as_text=True)
    waiting = [one.title for one in todo(world.session, second, now=MONDAY)]
    world.session.commit()
    assert f"核准遗失补发：{certificate.number}" in waiting
    assert deciding.post("/certificates/replacements/1/decide", data={"approves": "yes"}).status_code == 302
    listed = deciding.get(f"/certificates/replacements?q={certificate.number}&state=made").get_data(as_text=True)
    assert "本人声明遗失" in listed
    assert "本人声明遗失" not in stranger.get("/certificates/replacements").get_data(as_text=True)
