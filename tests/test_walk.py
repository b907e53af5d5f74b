"""The walk: one item from a file to a certificate. Each step hands on a frozen thing; none looks back."""

from __future__ import annotations

import io
from datetime import date, timedelta

import openpyxl
import pypdf
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import Answer, HandIn, Sheet
from examroom.delivery.sheets import Event
from examroom.filing.scopes import publish_scope
from examroom.invigilation import rooms
from examroom.marking import desk as marking
from examroom.marking.models import TheoryScore
from examroom.oversight import desk as oversight
from examroom.plans import arranging, candidates, desk, seating, sittings
from examroom.plans.arrangement import Site
from examroom.plans.models import Enrolment, PlanState, SittingState
from qbank.exchange import batches
from qbank.items import bank, review
from qbank.items.models import ItemVersion
from qbank.items.states import ItemState
from qbank.kernel import audit
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date
from qbank.papers import desk as papers
from qbank.papers import opening
from qbank.papers.contents import items_of
from qbank.papers.specification import Part
from qbank.standards.models import Standard, Subject, WeightTable
from qbank.standards.tables import PointDraft, RangeDraft, add_occupation, add_standard, set_table
from qbank.statistics.models import ItemStatistic
from scoring.archive import desk as archive
from scoring.archive import verifier
from scoring.certificates import desk as certificates
from scoring.certificates.models import Certificate
from scoring.practical import desk as practical
from scoring.practical.register import add_assessor
from scoring.practical.rubrics import build_rubric
from scoring.results import desk as results
from scoring.results.models import ResultState
from seed.people import students
from tests.conftest import People, TestClock
from tests.plan_world import LAST_YEAR, qualify, set_conditions
from tests.qbank.bank_world import judged

LEAVES = (("A", "职业道德", 20), ("B", "安全用电", 60), ("C", "控制电路", 120))  # weights in half-percent
POINTS_PER_LEAF = 8
FORM = (Part("single", 20, 6), Part("judge", 10, 8))  # 20 × 3 points + 10 × 4 points = 100


def workbook_of_items() -> bytes:
    """What a teacher hands in: per leaf range eight points with two single-choice items and a judgement each."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["鉴定范围", "鉴定点", "题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案", "难度", "解析", "出处"])
    for path, name, _ in LEAVES:
        for point in range(1, POINTS_PER_LEAF + 1):
            code = f"{point:03d}"
            for which in (1, 2):
                stem = f"关于{name}第{point}点的第{which}个问题，正确的做法是（　）。"
                options = [f"{name}{point}-{which} 的做法{letter}" for letter in "甲乙丙丁"]
                sheet.append([path, code, "单选题", stem, *options, "ABCD"[(point + which) % 4], "2", "教材原文。", "教材"])
            sheet.append([path, code, "判断题", f"{name}第{point}点的说法成立。", "", "", "", "", "对" if point % 2 else "错", "3",
                          "教材原文。", "教材"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def theory_table(session: Session, standard: Standard, who: Viewer) -> WeightTable:
    drafts = [RangeDraft((path,), name, weight, tuple(
        PointDraft(f"{n:03d}", f"{name}知识点{n}", "X" if n < 8 else "Y") for n in range(1, POINTS_PER_LEAF + 1)))
        for path, name, weight in LEAVES]
    return set_table(session, standard, 4, Subject.THEORY, drafts, who, is_sample=True, source="测试用示例")


def test_one_item_from_a_file_to_a_certificate(session: Session, people: People, clock: TestClock) -> None:
    cipher = IdentityCipher(b"i" * 32)
    school = people.home
    chen, author_too = people("陈晓", Role.ITEM_AUTHOR), people("罗兰", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)
    li, wang = people("李卫东", Role.ITEM_REVIEWER), people("王秀兰", Role.ITEM_REVIEWER)
    he, liu = people("何敏", Role.PAPER_COMPOSER), people("刘建平", Role.EXAM_OFFICER)
    watch = [people(name, Role.INVIGILATOR) for name in ("孙丽", "赵强")]
    assess = [people(name, Role.PRACTICAL_ASSESSOR) for name in ("郑国栋", "冯立群", "曹永康")]
    city = people("谭晓峰", scopes=[Scope(Role.CITY_OFFICER, region="4301")], school=people.school("市中心"))
    province = people("姚静", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")], school=people.school("省中心"))
    supervisor = people("罗正明", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")], school=people.school("督导组"))

    # The standard with its weights: a column that does not sum to 100 is refused by name.
    occupation = add_occupation(session, "6-31-01-03", "电工", he, catalogue_edition="2015")
    standard = add_standard(session, occupation, he, edition="2018", title="国家职业技能标准 电工（2018年版）")
    table = theory_table(session, standard, he)
    skill = [("继电控制电路装调维修", 60), ("基本电子电路装调维修", 30), ("电气设备装调维修", 50), ("自动控制电路装调维修", 60)]
    drafts = [RangeDraft((chr(65 + n),), name, weight) for n, (name, weight) in enumerate(skill)]
    with pytest.raises(Refused, match="100"):
        set_table(session, standard, 4, Subject.SKILL, drafts[:-1], he, is_sample=False, source="电工 2018")
    skills = set_table(session, standard, 4, Subject.SKILL, drafts, he, is_sample=False, source="电工 2018")

    # exchange: read → Draft → check → bank (ItemVersion, draft). The same file twice adds nothing.
    batch = batches.upload(session, table, school.id, "items.xlsx", workbook_of_items(), chen, now=clock())
    assert batches.apply(session, batch, chen, now=clock()) == 3 * POINTS_PER_LEAF * 3
    again = batches.upload(session, table, school.id, "items.xlsx", workbook_of_items(), chen, now=clock())
    with pytest.raises(Refused):
        batches.apply(session, again, chen, now=clock())
    versions = list(session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id)))
    assert len(versions) == 72

    # items.review: two other people decide → approved, frozen. The author may not.
    bank.submit_many(session, versions, chen, now=clock())
    with pytest.raises(Refused):
        review.answer(session, versions[0], chen, ["A"], now=clock())
    for version in versions:
        judged(session, version, li, now=clock())
        assert version.state is ItemState.SUBMITTED  # one approval is not enough
        judged(session, version, wang, now=clock())
    assert {version.state for version in versions} == {ItemState.APPROVED}
    assert author_too.account_id not in {version.author_id for version in versions}

    # papers: specification → assembly → sealed, fingerprint.
    specification = papers.specify(session, table, school.id, "四级 单选20＋判断10", FORM, he, minutes=90, now=clock())
    paper = papers.assemble(session, specification, he, now=clock(), seed=7)[0]
    assert len(paper.items) == 30
    assert sum(item.half_points for item in paper.items) == 200
    papers.seal(session, paper, he, now=clock())
    assert paper.fingerprint
    assert len(paper.fingerprint) == 64
    assert papers.verify(paper)
    session.commit()
    with pytest.raises(Refused, match="还没有启封"):
        items_of(paper)  # nobody sees it now, the composer neither

    # filing/plans: filed scope → plan → approval → sitting, seats.
    first_day = local_date(clock() + timedelta(days=30))
    with pytest.raises(Refused, match="备案"):
        desk.draft_plan(session, school, standard, 4, "2026 年电工四级", liu, starts_on=first_day, now=clock())
    publish_scope(session, school, standard, 4, province, valid_from=local_date(clock()))
    plan = desk.draft_plan(session, school, standard, 4, "2026 年电工四级", liu, starts_on=first_day, contact="刘老师", now=clock())
    set_conditions(session, standard, liu, 4)
    enrolled = [candidates.enrol(session, plan, liu, name=student.name, identity_number=student.identity_number, cipher=cipher,
                                 student_number=student.student_number, class_name=student.class_name, entry_condition="1",
                                 facts=LAST_YEAR, declared=True, now=clock()) for student in students(3)]
    starts = clock() + timedelta(days=30)
    room = seating.add_room(session, school, "第一机房", 30, liu)
    with pytest.raises(Refused, match="不能报送"):
        desk.submit(session, plan, liu, now=clock())  # nothing is said of days, places and people yet
    arranging.keep_site(session, plan, Site("", "theory", "", starts, 90, 3), [person.account_id for person in watch], liu, room=room, now=clock())
    arranging.keep_site(session, plan, Site("", "practical", "实训楼", starts + timedelta(minutes=92), 240, 3),
                        [person.account_id for person in assess], liu, now=clock())
    desk.submit(session, plan, liu, now=clock())
    desk.decide(session, plan, city, True, "同意", now=clock())
    assert plan.state is PlanState.APPROVED
    sent = oversight.assign(session, plan, supervisor.account_id, city, now=clock())
    sitting = sittings.add_sitting(session, plan, "理论第一场", liu, starts_at=starts, minutes=90, now=clock())
    sittings.choose_paper(session, sitting, paper.id, liu)
    used = seating.use_room(session, sitting, room, [person.account_id for person in watch], liu)
    with pytest.raises(Refused, match="资格审核还没有通过"):
        seating.seat_all(session, sitting, liu, seed="walk")
    qualify(session, enrolled, liu)
    assert seating.seat_all(session, sitting, liu, seed="walk") == 3
    with pytest.raises(Refused, match="还没有启封"):
        sheets.deal(session, sitting, liu, now=clock(), seed="walk")
    opening.ask(session, paper, liu, "理论第一场发卷", now=clock())
    opening.confirm(session, paper, he, now=clock())  # two persons
    assert sheets.deal(session, sitting, liu, now=clock(), seed="walk") == 3
    session.commit()

    # delivery: sheet dealt from a seed → answers, canonical from the first save on → hand-in.
    clock.moment = starts - timedelta(minutes=10)
    rooms.open_room(session, used, watch[0], now=clock())
    keys = {item.number: item.version.key for item in paper.items}
    wrong = {number: ({"T": "F", "F": "T"}.get(key) or ("B" if key == "A" else "A")) for number, key in keys.items()}
    good, weak, absent = session.scalars(sa.select(Sheet).order_by(Sheet.id)).all()
    clock.moment = starts + timedelta(minutes=1)
    for sheet in (good, weak):
        sheets.start(session, sheet, now=clock())
    # Items 1..20 are worth 3 points, 21..30 worth 4: the good one misses item 1, the weak one knows 1..19 only.
    sheets.save(session, good, [Event(n, n, wrong[n] if n == 1 else keys[n]) for n in range(1, 31)], now=clock())
    sheets.save(session, weak, [Event(n, n, keys[n] if n < 20 else wrong[n]) for n in range(1, 31)], now=clock())
    assert {answer.number: answer.answer for answer in session.scalars(
        sa.select(Answer).where(Answer.sheet_id == good.id))} == keys | {1: wrong[1]}
    clock.moment = starts + timedelta(minutes=40)
    sheets.hand_in(session, good, HandIn.CANDIDATE, now=clock())
    session.commit()

    # marking: sheet → TheoryScore with reasons → responses → statistics.
    clock.moment = sitting.ends_at + timedelta(minutes=2)
    marking.close_due(session, clock())
    session.commit()
    assert sitting.state is SittingState.MARKED
    assert weak.handed_in_how is HandIn.DEADLINE
    assert absent.handed_in_how is HandIn.ABSENT
    score = {one.sheet_id: one.half_points for one in session.scalars(sa.select(TheoryScore))}
    assert score[good.id] == 200 - 6  # 97.0
    assert score[weak.id] == 19 * 6  # 57.0
    first = session.scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == paper.items[1].version_id)).one()
    assert first.n == 2  # the absent candidate was never presented the item
    assert first.difficulty == 1.0

    # practical: marks of three assessors who do not see each other → PartScore with reasons.
    rubric = build_rubric(session, skills, school.id, "四级操作技能评分表", liu)
    enrolments = list(session.scalars(sa.select(Enrolment).order_by(Enrolment.id)))
    for number, person in enumerate(assess):
        add_assessor(session, school, session.get_one(Account, person.account_id), liu, certificate_number=f"KP43{number:06d}",
                     occupation=occupation, levels=(5, 4, 3), senior=False, expires_on=date(2028, 12, 31))
    group = practical.form_group(session, plan, rubric, "第一组", liu, place="实训楼", starts_at=clock(),
                                 assessor_ids=[person.account_id for person in assess],
                                 enrolment_ids=[one.id for one in enrolments])
    for person, share in zip(assess, (0.76, 0.8, 0.84), strict=True):
        for member in group.members:
            sheet_of_marks = practical.mark_sheet_for(session, member, person)
            with pytest.raises(Refused, match="没有评分"):
                practical.sign(session, sheet_of_marks, person, now=clock())
            practical.enter_marks(session, sheet_of_marks, {row.id: round(row.most * share) for row in rubric.rows}, person,
                                  now=clock())
            practical.sign(session, sheet_of_marks, person, now=clock())
    joined = practical.join(session, group.members[0], now=clock())
    assert joined is not None
    assert joined.half_points == 160  # 76, 80 and 84 rounded row by row, on average 80.0
    session.commit()

    # results: merge by rule pack → draft → notice ≥ 7 days → city → province → final.
    oversight.report(session, sent, "全程督导，未见异常。", supervisor, now=clock())
    merged = results.merge_plan(session, plan, liu, now=clock())
    outcome = {one.enrolment_id: one for one in merged.results}
    assert outcome[good.enrolment_id].passed
    assert not outcome[weak.enrolment_id].passed
    assert any("57.0" in reason for reason in outcome[weak.enrolment_id].reasons)
    assert not outcome[absent.enrolment_id].passed
    with pytest.raises(Refused, match="核对"):
        results.publish(session, merged, liu, now=clock())
    results.check(session, merged, people("段雅琴", Role.EXAM_OFFICER), now=clock())
    results.publish(session, merged, liu, now=clock())
    clock.forward(days=6)
    with pytest.raises(Refused, match="公示"):
        results.submit(session, merged, liu, now=clock())
    clock.forward(days=3)
    results.submit(session, merged, liu, now=clock())
    results.decide(session, merged, city, True, "", now=clock())
    results.decide(session, merged, province, True, "", now=clock())
    assert merged.state is ResultState.FINAL
    session.commit()

    # certificates: number → signed PDF → public query.
    assert certificates.issue(session, merged, liu, cipher=cipher, now=clock()) == 1
    assert certificates.issue(session, merged, liu, cipher=cipher, now=clock()) == 0
    certificate = session.scalars(sa.select(Certificate)).one()
    assert certificate.number == "J000043000001" + "26" + "4" + "000001"
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(certificate.pdf)).pages)
    assert certificate.number in text.replace(" ", "")
    assert b"/ByteRange" in certificate.pdf
    assert certificates.look_up(session, number=certificate.number, name=certificate.holder, cipher=cipher)
    assert not certificates.look_up(session, number=certificate.number, name="别人", cipher=cipher)
    session.commit()

    # archive: evidence pack, head hash, three-year clock.
    kept = archive.pack(session, plan, liu, now=clock())
    session.commit()
    assert kept.keep_until.year == 2031  # electronic: five years by default, never less than three
    with archive.opened(session, kept) as stream:
        report = verifier.examine(io.BytesIO(stream.read()), keys=[kept.signed_by])
    assert report.findings == []

    # And everything that happened is in the trail, unbroken, with an actor.
    assert audit.verify(session) == []
    assert session.scalar(sa.select(sa.func.count()).select_from(audit.AuditEntry).where(
        audit.AuditEntry.actor_name == "")) == 0
