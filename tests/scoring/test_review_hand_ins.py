"""Hand-ins: what may come in and until when, versions, receipts, and passages shared with earlier papers."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.attachments import DOCX, PDF, from_bytes, intact
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.printing import typeset
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from scoring.review import comparing, handing_in, panels, pdf_words, reading
from scoring.review.handin_models import OverlapCheck, OverlapHit, Submission, SubmissionKind, SubmissionText
from scoring.review.todo import todo
from tests.scoring.outcome_world import NOW, World
from tests.scoring.review_world import ESSAY, case_of, hand_in, ready, word

Enter = Callable[[Viewer], FlaskClient]
OTHER = ("本人承担了自动送料线可编程控制器的改造工作，先把原有继电器逻辑改写为顺序功能图，再逐步核对每一个互锁条件。"
         "现场调试时发现两处图纸没有画出的联锁，经与操作人员核实后补入程序，投入使用半年以来运行正常，"
         "每班的停机时间由四十分钟减少到五分钟以内，节约了大量人工，也为同类设备的改造积累了经验。")


@pytest.fixture
def world(session: Session, people: Any) -> World:
    return World(session, people, level=2)


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (30, 30)).save(stream, "PNG")
    return stream.getvalue()


def paper_pdf(text: str) -> bytes:
    return typeset('#set text(font: sys.inputs.at("font"))\n#sys.inputs.at("text")', {"text": text}, made_at=NOW)


def test_versions_are_kept_until_the_deadline_and_each_has_a_receipt(world: World) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    assert code_of(lambda: handing_in.hand_in(world.session, chen, SubmissionKind.PAPER, None, chen.candidate.viewer(), title="题", now=NOW)) == "no_call"
    first = hand_in(world, chen, title="初稿")
    second = hand_in(world, chen, paper_pdf(ESSAY), name="终稿.pdf", title="终稿", now=NOW + timedelta(hours=1))
    assert [first.number, second.number] == [1, 2]
    assert [first.attachment.media_type, second.attachment.media_type] == [DOCX, PDF]
    assert first.receipt != second.receipt
    assert handing_in.counting(world.session, chen) == [second]
    assert intact(world.session, first.attachment)
    assert code_of(lambda: handing_in.withdraw(world.session, second, chen.candidate.viewer(), now=NOW)) == "paper"
    assert code_of(lambda: hand_in(world, chen, now=NOW + timedelta(days=31))) == "too_late"
    assert code_of(lambda: handing_in.hand_in(world.session, chen, SubmissionKind.PAPER, None, wu.candidate.viewer(), title="题", now=NOW)) == "not_yours"
    assert code_of(lambda: handing_in.set_call(world.session, world.plan, world.officer, until=NOW, now=NOW)) == "past"
    assert todo(world.session, wu.candidate.viewer(), now=NOW)[0].endpoint == "review.mine"
    assert todo(world.session, chen.candidate.viewer(), now=NOW) == []


def fake_word() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("xl/workbook.xml", "<x/>")
    return stream.getvalue()


@pytest.mark.parametrize(("content", "name"), [(b"MZ\x90\x00program", "总结.pdf"), (fake_word(), "总结.docx"), (picture(), "总结.pdf"),
                                               (b"PK\x03\x04broken", "总结.docx"), (b"", "总结.pdf")])
def test_the_type_is_told_by_the_content_and_not_by_the_name(world: World, content: bytes, name: str) -> None:
    chen, = world.enrol("陈晓")
    hand_in(world, chen)
    assert code_of(lambda: handing_in.hand_in(world.session, chen, SubmissionKind.PAPER, from_bytes(content, name), chen.candidate.viewer(),
                                  title="题", now=NOW)) == "wrong_file_type"


def test_sizes_and_numbers_come_from_the_rule_pack(world: World) -> None:
    world.session.add(StoredRulePack(region="43", name="湖南", values=(
        '{"review_video_megabytes": 2, "review_picture_megabytes": 1, "review_evidence_files": 2}')))
    chen, = world.enrol("陈晓")
    film = b"\x00\x00\x00\x18ftypmp42" + bytes(1_500_000)
    first = hand_in(world, chen, film, kind=SubmissionKind.EVIDENCE, name="操作.mp4", title="操作视频")  # larger than a picture may be
    assert code_of(lambda: hand_in(world, chen, film + bytes(1_000_000), kind=SubmissionKind.EVIDENCE, name="长.mp4")) == "file_too_large"
    assert code_of(lambda: hand_in(world, chen, b"%PDF-" + bytes(1_100_000), kind=SubmissionKind.EVIDENCE, name="奖.pdf")) == "file_too_large"
    assert code_of(lambda: hand_in(world, chen, word("x"), kind=SubmissionKind.EVIDENCE)) == "wrong_file_type"
    hand_in(world, chen, picture(), kind=SubmissionKind.EVIDENCE, name="奖.png", title="获奖证书")
    assert code_of(lambda: hand_in(world, chen, picture(), kind=SubmissionKind.EVIDENCE, name="奖.png")) == "too_many"
    handing_in.withdraw(world.session, first, chen.candidate.viewer(), now=NOW)
    assert hand_in(world, chen, picture(), kind=SubmissionKind.EVIDENCE, name="奖.png").number == 3
    assert len(handing_in.submissions(world.session, chen)) == 3  # what was taken back stays on record


def checked(world: World, paper: Submission) -> OverlapCheck:
    for one in comparing.newest_papers(world.session):
        comparing.read(world.session, one)
    found = comparing.compare(world.session, paper, now=NOW)
    world.session.add(found)
    world.session.flush()
    return found


def test_a_paper_that_copies_one_of_an_earlier_year_is_found_in_word_and_pdf(world: World) -> None:
    earlier = world.new_plan("JH-2024-001")
    old, = world.enrol("师兄", plan=earlier)
    hand_in(world, old, paper_pdf(ESSAY), name="旧.pdf")
    copier, honest = world.enrol("陈晓", "吴静")
    copied = hand_in(world, copier, word("前言：本人从事维修电工工作十二年。", ESSAY.replace("我先用", "首先使用"), "以上是本人的工作总结。"))
    own = hand_in(world, honest, word(OTHER))
    found = checked(world, copied)
    # 152 counted characters of the essay of about 185 all told
    assert found.permille > 750
    assert [hit.other.enrolment_id for hit in found.hits] == [old.id]
    mine, other, passages = comparing.side_by_side(world.session, found.hits[0])
    longest = max(passages, key=lambda one: one.length)
    assert "发现屏蔽层在端子排处断开" in mine[longest.start:longest.end]
    assert "发现屏蔽层在端子排处断开" in other[longest.other_start:longest.other_end].replace("\n", "")
    clean = checked(world, own)
    assert (clean.permille, clean.hits, clean.compared) == (0, [], 2)


def test_a_candidates_own_earlier_versions_are_no_overlap(world: World) -> None:
    chen, = world.enrol("陈晓")
    hand_in(world, chen)
    assert checked(world, hand_in(world, chen)).compared == 0


def test_papers_without_words_say_so_and_broken_ones_stop_nothing(world: World, tmp_path: Any) -> None:
    chen, = world.enrol("陈晓")
    broken = tmp_path / "a.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing of the kind")
    assert reading.words(broken, PDF)[0] == ""
    assert "无法提取" in reading.words(broken, PDF)[1]
    found = checked(world, hand_in(world, chen, word("只有一行。")))
    assert "扫描件" in found.problem


def test_a_document_that_unpacks_without_end_is_not_read(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_UNPACKED", 1000)
    bomb = tmp_path / "b.docx"
    bomb.write_bytes(word(ESSAY))
    assert "无法提取" in reading.words(bomb, DOCX)[1]


def pdf(pages: int, content: bytes) -> bytes:
    """A PDF with a Latin font whose pages all show ``content``."""
    kids = " ".join(["5 0 R"] * pages)
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {pages}/Kids[{kids}]>>".encode(), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
             b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed := zlib.compress(content)), packed),
             b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox[0 0 500 500]/Resources<</Font<</F 3 0 R>>>>>>"]
    whole, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(whole))
        whole += b"%d 0 obj%s endobj\n" % (number, part)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    return whole + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Root 1 0 R/Size 6>>\nstartxref\n%d\n%%%%EOF" % (rows, len(whole))


def test_the_words_of_a_pdf_are_read_by_a_child_that_is_not_waited_for_long(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a.pdf"
    place.write_bytes(pdf(3, b"BT /F 12 Tf 50 50 Td (" + b"The whole of what he wrote. " * 4 + b") Tj ET"))
    text, problem = reading.words(place, PDF)
    assert (text.count("The whole of what he wrote."), problem) == (12, "")
    place.write_bytes(pdf(400, b"BT /F 12 Tf " + b"(endless) Tj " * 400_000 + b"ET"))  # some hundred kilobytes, some hours
    monkeypatch.setattr(reading, "CHILD_SECONDS", 1.5)
    text, problem = reading.words(place, PDF)
    assert text == ""
    assert "没有读完" in problem


def test_no_more_of_a_pdf_is_read_than_a_thesis_has(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a.pdf"
    place.write_bytes(pdf(9, b"BT /F 12 Tf 50 50 Td (word) Tj ET"))
    monkeypatch.setattr(pdf_words, "MOST_PAGES", 4)
    assert pdf_words.of_pdf(str(place)).split() == ["word"] * 4
    monkeypatch.setattr(pdf_words, "MOST_CHARACTERS", 6)
    assert pdf_words.of_pdf(str(place)) == "word\nw"


def test_a_candidate_hands_in_on_a_page_and_the_check_runs_as_a_job(world: World, enter: Enter) -> None:
    chen, wu = world.enrol("陈晓", "吴静")
    hand_in(world, wu)
    viewer, other = world.as_candidate(chen), world.as_candidate(wu)
    world.session.commit()
    client = enter(viewer)
    page = client.get("/review/mine").get_data(as_text=True)
    assert "不超过 20 MB" in page
    url = f"/review/enrolments/{chen.id}/hand-in"
    assert client.post(url, data={"kind": "paper", "title": "题目", "file": (io.BytesIO(b"text"), "x.pdf")}).status_code == 409
    assert client.post(url, data={"kind": "nothing"}).status_code == 409
    made = client.post(url, data={"kind": "paper", "title": "题目", "file": (io.BytesIO(word(ESSAY)), "x.docx")})
    assert made.status_code == 302
    receipt = client.get(made.headers["Location"]).get_data(as_text=True)
    world.session.expire_all()
    mine = world.session.scalars(sa.select(Submission).where(Submission.enrolment_id == chen.id)).one()
    assert mine.receipt in receipt
    assert mine.attachment.sha256 in receipt
    check = world.session.scalars(sa.select(OverlapCheck).where(OverlapCheck.submission_id == mine.id)).one()
    assert check.permille == 1000
    assert world.session.scalars(sa.select(Job.state)).all() == [JobState.DONE]
    world.session.commit()
    page = client.get("/review/mine").get_data(as_text=True)
    assert "100.0%" not in page  # a candidate could write until the number falls
    stranger = enter(other)
    assert {stranger.get(f"/review/submissions/{mine.id}/{part}").status_code for part in ("receipt", "file")} == {404}
    assert stranger.post(url, data={"kind": "paper"}).status_code == 404
    assert client.get(f"/review/overlaps/{check.hits[0].id}").status_code == 403


def test_the_office_sees_overlaps_side_by_side_and_another_schools_text_stays_there(world: World, enter: Enter, people: Any) -> None:
    away = world.new_plan("JH-外", school=people.school("另一所学校"))
    theirs, = world.enrol("外校考生", plan=away)
    stranger = people("外校", Role.EXAM_OFFICER, school=away.institution)
    world.session.flush()
    handing_in.set_call(world.session, away, stranger, until=NOW + timedelta(days=1), now=NOW)
    hand_in(world, theirs, word(OTHER))
    chen, wu = world.enrol("陈晓", "吴静")
    hand_in(world, wu, word(ESSAY))
    hand_in(world, chen, word(ESSAY, OTHER))
    world.session.commit()
    client = enter(world.officer)
    job = client.post(f"/review/plans/{world.plan.id}/overlaps")
    assert job.status_code == 302
    listed = client.get(f"/review/plans/{world.plan.id}/hand-ins").get_data(as_text=True)
    assert "100.0%" in listed
    hits = {hit.other.enrolment_id: hit for hit in world.session.scalars(sa.select(OverlapHit).join(OverlapCheck).join(Submission).where(
        Submission.enrolment_id == chen.id))}
    world.session.commit()
    near = client.get(f"/review/overlaps/{hits[wu.id].id}").get_data(as_text=True)
    assert "吴静" in near
    assert near.count("屏蔽层在端子排处断开") >= 3  # both pieces and both texts
    far = client.get(f"/review/overlaps/{hits[theirs.id].id}").get_data(as_text=True)
    assert "属于其他机构" in far
    assert "外校考生" not in far
    assert enter(stranger).get(f"/review/overlaps/{hits[wu.id].id}").status_code == 404
    assert enter(stranger).get(f"/review/plans/{world.plan.id}/hand-ins").status_code == 404


def test_a_judge_reads_under_a_number_and_who_recused_himself_reads_nothing(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    jia, yi, bing, ding = world.examiners("甲", "乙", "丙", "丁")
    ready(world, [jia, yi, bing], [ding])
    case = case_of(world, chen)
    paper = handing_in.counting(world.session, chen)[0]
    panels.recuse(world.session, next(one for one in case.panel.members if one.account_id == bing.account_id), case, bing, reason="师徒", now=NOW)
    world.session.commit()
    url = f"/review/submissions/{paper.id}/file"
    got = enter(jia).get(url)
    assert got.status_code == 200
    assert "1%E5%8F%B7" in got.headers["Content-Disposition"]  # 1号
    got.close()
    assert enter(jia).get(f"/review/cases/{case.id}").get_data(as_text=True).count("陈晓") == 0
    assert [enter(who).get(url).status_code for who in (bing, ding)] == [404, 404]
    assert [enter(who).get(f"/review/cases/{case.id}").status_code for who in (bing, ding)] == [404, 404]


def test_texts_are_read_once(world: World) -> None:
    chen, = world.enrol("陈晓")
    paper = hand_in(world, chen)
    assert comparing.read(world.session, paper) is comparing.read(world.session, paper)
    assert world.session.scalars(sa.select(SubmissionText.problem)).all() == [""]
    assert world.session.scalars(visible(OverlapCheck, world.officer)).all() == []


def test_before_the_call_there_is_nothing_to_hand_in(world: World, enter: Enter) -> None:
    chen, = world.enrol("陈晓")
    viewer = world.as_candidate(chen)
    world.session.commit()
    assert "没有需要您提交的评审材料" in enter(viewer).get("/review/mine").get_data(as_text=True)
