"""刘建平 of the school fills in annexes 1 and 2; what is missing has a name; what the notice forbids is refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing import annexes, application, completeness, materials, rows
from examroom.filing.application import OccupationDraft
from examroom.filing.application_models import ApplicationRow
from examroom.filing.states import ApplicationKind, ApplicationState
from qbank.kernel.accounts import InstitutionKind
from qbank.kernel.attachments import from_bytes
from qbank.kernel.audit import AuditEntry
from qbank.kernel.refused import Refused
from qbank.standards.models import Basis, Standard, StoredRulePack
from qbank.standards.rulepack import RulePack
from tests.conftest import People
from tests.filing_world import PDF, ROWS, UNIT, FilingWorld, add_standard
from tests.plan_world import CIPHER, identity_number, roster_file


@pytest.fixture
def world(session: Session, people: People) -> FilingWorld:
    return FilingWorld.make(session, people)


def test_an_empty_application_names_everything_that_the_annexes_ask_for(world: FilingWorld) -> None:
    one = world.begin()
    with pytest.raises(Refused, match="还缺") as refusal:
        application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    told = "\n".join(refusal.value.details)
    for part in annexes.PARTS:
        assert f"附件1 {part.heading}：没有填写" in told
    for field in (*annexes.UNIT, *annexes.PLAN):
        assert field.title in told or field.key in {"name", "credit_code"}  # those two the system knows
    for paper in annexes.MATERIALS:
        assert (f"{paper.clause}：没有上传{paper.title}" in told) is paper.required
    assert "没有填写申请开展评价的职业" in told


def test_a_full_application_lacks_nothing_and_goes_to_the_city_with_a_pledge(world: FilingWorld) -> None:
    one = world.fill(world.begin(), 5, 4)
    assert completeness.missing(one) == []
    with pytest.raises(Refused, match="自愿接受监督管理"):
        application.submit(world.session, one, world.liu, pledged=False, now=world.now)
    application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    assert one.state is ApplicationState.SUBMITTED
    assert "承诺" in one.decisions[0].comment
    with pytest.raises(Refused, match="不能修改"):
        application.write_plan(world.session, one, {}, world.liu)


@pytest.mark.parametrize(("part", "change", "named"), [
    ("sites", {"use": annexes.PAPERS}, "一（三）"), ("sites", {"use": annexes.WORKSHOP}, "一（四）"), ("it", {"use": annexes.VIDEO}, "一（四）")])
def test_rooms_for_papers_and_exams_and_video_are_conditions_of_the_notice(
        world: FilingWorld, part: str, change: dict[str, str], named: str) -> None:
    one = world.fill(world.begin())
    left = [row for row in ROWS[part] if row["use"] != change["use"]]
    rows.write_rows(world.session, one, annexes.PART_OF[part], left, world.liu, cipher=CIPHER)
    sentences = [item.sentence for item in completeness.missing(one)]
    assert len(sentences) == 1
    assert change["use"] in sentences[0]
    assert named in sentences[0]


def test_an_occupation_needs_its_specialty_the_former_station_and_a_materials_file(world: FilingWorld) -> None:
    one = world.fill(world.begin())
    other = add_standard(world.session, "评茶员", "6-02-06-11", basis=Basis.EVALUATION_SPECIFICATION)
    application.set_occupations(world.session, one, [OccupationDraft(world.standard, 4, "电气", True), OccupationDraft(other, 4)], world.liu)
    told = "\n".join(item.sentence for item in completeness.missing(one))
    for part in ("二（一）", "一（二）", "二（二）"):
        assert "评茶员四级/中级工：没有" in told
        assert part in told
    general = next(material for material in one.materials if material.kind == "standard")
    materials.drop(world.session, general, world.liu)
    materials.add(world.session, one, "standard", from_bytes(PDF, "电工.pdf"), world.liu, standard=world.standard, now=world.now)
    told = "\n".join(item.sentence for item in completeness.missing(one))
    assert "附件2 四（一）：没有上传评茶员的" in told
    assert "没有上传电工的" not in told


@pytest.mark.parametrize(("kind", "refused"), [(InstitutionKind.ORDINARY, {3, 2, 1}), (InstitutionKind.ADVANCED, {2, 1}),
                                               (InstitutionKind.TECHNICIAN, set()), (InstitutionKind.OTHER_COLLEGE, set())])
def test_the_kind_of_school_bounds_what_it_applies_for(world: FilingWorld, kind: InstitutionKind, refused: set[int]) -> None:
    world.school.kind = kind
    one = world.begin()
    for level in range(1, 6):
        drafts = [OccupationDraft(world.standard, level, "电气", True)]
        if level in refused:
            with pytest.raises(Refused) as refusal:
                application.set_occupations(world.session, one, drafts, world.liu)
            assert "二(三)" in refusal.value.details[0]
        else:
            application.set_occupations(world.session, one, drafts, world.liu)
            assert [row.level for row in one.occupations] == [level]


def test_access_type_and_a_specification_beside_a_national_standard_are_refused_by_clause(world: FilingWorld) -> None:
    one = world.begin()
    access = add_standard(world.session, "焊工", "6-18-02-04", access=True)
    own = Standard(occupation=world.standard.occupation, edition="2025", title="电工评价规范", basis=Basis.EVALUATION_SPECIFICATION)
    world.session.add(own)
    world.session.flush()
    with pytest.raises(Refused) as refusal:
        application.set_occupations(world.session, one, [OccupationDraft(access, 4), OccupationDraft(own, 4)], world.liu)
    assert "第 1 行" in refusal.value.details[0]
    assert "二(一)" in refusal.value.details[0]
    assert "二(二)" in refusal.value.details[1]
    assert one.occupations == []


def test_identity_numbers_are_encrypted_masked_kept_and_never_in_the_trail(world: FilingWorld) -> None:
    one, part, number = world.begin(), annexes.PART_OF["staff"], identity_number(901)
    rows.write_rows(world.session, one, part, ROWS["staff"], world.liu, cipher=CIPHER)
    [row] = one.rows_of("staff")
    assert row.identity_masked == f"{number[:6]}********{number[-4:]}"
    assert CIPHER.decrypt(row.identity_cipher or b"") == number
    again = {**row.cells, "id": str(row.id), "identity": row.identity_masked, "post": "副所长"}
    rows.write_rows(world.session, one, part, [again], world.liu, cipher=CIPHER)
    [row] = one.rows_of("staff")
    assert row.cells["post"] == "副所长"
    assert CIPHER.decrypt(row.identity_cipher or b"") == number
    world.session.commit()
    trail = "".join(str(entry.changes) for entry in world.session.scalars(sa.select(AuditEntry).where(AuditEntry.table_name == "filing_rows")))
    assert "副所长" in trail
    assert number not in trail
    with pytest.raises(Refused) as refusal:
        rows.write_rows(world.session, one, part, [{"name": "甲", "identity": number}, {"name": "乙", "identity": number},
                                                   {"name": "丙", "identity": "43010220080101123X"}], world.liu, cipher=CIPHER)
    assert "第 3 行（丙）" in refusal.value.details[0]
    assert "乙的身份证号与甲的相同" in refusal.value.details[1]
    assert [held.cells["name"] for held in one.rows_of("staff")] == ["刘建平"]


def test_long_tables_come_from_excel_as_annex_1_heads_them(world: FilingWorld) -> None:
    one, part = world.begin(), annexes.PART_OF["equipment"]
    head = ("序号", "名称", "品牌", "规格 型号", "数量", "所有权归属")  # the notice writes 规格 型号 with a space
    book = roster_file([[str(n), f"实训台{n}", "亚龙", "YL", "2", "自有"] for n in range(1, 121)], head)
    assert rows.write_rows(world.session, one, part, rows.read(part, book), world.liu, cipher=CIPHER) == 120
    more = roster_file([["1", "示波器", "普源", "DS1", "10", "租用"]], head)
    assert rows.write_rows(world.session, one, part, rows.read(part, more), world.liu, cipher=CIPHER, append=True) == 121
    assert [row.cells["name"] for row in one.rows_of("equipment")][-2:] == ["实训台120", "示波器"]
    assert rows.read(part, rows.template(part))[0]["brand"] == "示例品牌"
    with pytest.raises(Refused, match="没有找到表头"):
        rows.read(part, roster_file([["1"]], ("甲",)))
    with pytest.raises(Refused, match="读不出来"):
        rows.read(part, b"PK\x03\x04 broken")
    with pytest.raises(Refused) as refusal:
        rows.write_rows(world.session, one, part, [{"name": "表", "owner": "偷来的"}], world.liu, cipher=CIPHER)
    assert "所有权归属" in refusal.value.details[0]


def test_files_are_judged_by_what_they_are_and_belong_to_a_line_of_the_list(world: FilingWorld) -> None:
    one = world.begin()
    for kind, content, code in (("legal", b"MZ program", "wrong_file_type"), ("nothing", PDF, "no_such_material")):
        with pytest.raises(Refused) as refusal:
            materials.add(world.session, one, kind, from_bytes(content, "法人证书.pdf"), world.liu, now=world.now)
        assert refusal.value.code == code
    with pytest.raises(Refused, match="本申请中的职业"):
        materials.add(world.session, one, "standard", from_bytes(PDF, "x.pdf"), world.liu, standard=world.standard, now=world.now)
    with pytest.raises(Refused, match="考务员"):
        materials.add(world.session, one, "legal", from_bytes(PDF, "x.pdf"), world.tan, now=world.now)


def test_one_application_at_a_time_of_the_right_kind_and_what_was_told_is_taken_over(world: FilingWorld) -> None:
    with pytest.raises(Refused, match="首次备案"):
        world.begin(ApplicationKind.RENEWAL)
    one = world.fill(world.begin())
    with pytest.raises(Refused, match="还没有办结"):
        world.begin()
    application.withdraw(world.session, one, world.liu, now=world.now)
    again = world.begin()
    assert again.number != one.number
    assert again.unit["address"] == UNIT["address"]
    assert len(again.rows) == sum(map(len, ROWS.values()))
    assert again.rows_of("staff")[0].identity_masked == one.rows_of("staff")[0].identity_masked
    assert again.materials == []  # files are handed in anew
    assert world.session.scalar(sa.select(sa.func.count()).select_from(ApplicationRow)) == 2 * len(again.rows)
    with pytest.raises(Refused, match="权限不包括"):
        application.begin(world.session, world.school, ApplicationKind.FIRST, world.tan, now=world.now)
    centre = world.people.school("某市中心", InstitutionKind.CITY_CENTRE)
    officer = world.people("某人", school=centre, scopes=[])
    with pytest.raises(Refused):
        application.begin(world.session, centre, ApplicationKind.FIRST, officer, now=world.now)


def test_a_province_may_close_the_window_of_first_applications(world: FilingWorld) -> None:
    """The notice: until 30 April 2020 (三（一）). The day is the province's; what the city returned may still be handed in again."""
    world.session.add(StoredRulePack(region="43", name="湖南", values='{"filing_until": "2026-05-31"}'))
    one = world.fill(world.begin())
    with pytest.raises(Refused, match=r"2026年5月31日前提交.*三\(一\)"):
        application.submit(world.session, one, world.liu, pledged=True, now=world.now)
    with pytest.raises(Refused, match="2021-06-30"):
        RulePack.read('{"pilot_until": "next year"}')
