"""Occupations, standards and tables: sums, trees, ids that stay, what may not be removed."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Role
from qbank.kernel.refused import Refused
from qbank.standards.models import Occupation, Range, Standard, Subject, WeightTable
from qbank.standards.tables import (
    PointDraft,
    RangeDraft,
    add_occupation,
    add_standard,
    drafts_of,
    leaves,
    remove_table,
    segments_of,
    set_points,
    set_table,
)
from tests.conftest import People

# 中式烹调师, an older published theory table (domain.md 5b): 31 + 26 + 11 + 19 + 8 = 95, and 5 for 职业道德 makes 100.
COOK = (("A", "基本要求", 36), ("A-A", "职业道德", 5), ("A-B", "基础知识", 31), ("B", "相关知识要求", 64), ("B-A", "原料的初加工", 26),
        ("B-B", "原料分档与切割", 11), ("B-C", "调配与预制", 19), ("B-D", "菜肴制作", 8))


def cook(points: int = 2) -> list[RangeDraft]:
    parents = {"A", "B"}
    return [RangeDraft(tuple(path.split("-")), name, weight * 2,
                       () if path in parents else tuple(PointDraft(f"{n + 1:03d}", f"{name}要点{n + 1}", "X") for n in range(points)))
            for path, name, weight in COOK]


@pytest.fixture
def editor(people: People) -> Any:
    return people("王芳", Role.EXAM_OFFICER)


@pytest.fixture
def standard(session: Session, editor: Any) -> Standard:
    occupation = add_occupation(session, "4-03-02-01", "中式烹调师", editor, catalogue_edition="2015")
    return add_standard(session, occupation, editor, edition="2018", title="中式烹调师国家职业技能标准（2018年版）")


def write(session: Session, standard: Standard, editor: Any, ranges: list[RangeDraft], level: int = 4,
          subject: Subject = Subject.THEORY) -> WeightTable:
    return set_table(session, standard, level, subject, ranges, editor, is_sample=True, source="教材附录")


def test_a_table_of_100_is_written_and_its_leaves_come_in_the_order_of_print(session: Session, standard: Standard,
                                                                             editor: Any) -> None:
    table = write(session, standard, editor, cook())
    assert [leaf.name for leaf in leaves(table)] == ["职业道德", "基础知识", "原料的初加工", "原料分档与切割", "调配与预制", "菜肴制作"]
    assert sum(leaf.weight for leaf in leaves(table)) == 200
    assert drafts_of(table) == cook()


@pytest.mark.parametrize("code", ["6-31-01", "6-31-01-03-1", "06-31-01-03", "", "6_31_01_03", "6-31-01-03\n"])
def test_an_occupation_code_of_another_form_is_refused(session: Session, editor: Any, code: str) -> None:
    if code.endswith("\n"):
        assert add_occupation(session, code, "电工", editor, catalogue_edition="2015").code == "6-31-01-03"
        return
    with pytest.raises(Refused, match="occupation_code"):
        add_occupation(session, code, "电工", editor, catalogue_edition="2015")


def test_one_code_may_stand_in_two_editions_of_the_classification_but_not_twice_in_one(session: Session,
                                                                                       editor: Any) -> None:
    add_occupation(session, "4-10-01-02", "育婴员", editor, catalogue_edition="2015")
    add_occupation(session, "4-10-01-02", "另一职业", editor, catalogue_edition="2022")
    with pytest.raises(Refused, match="occupation_twice"):
        add_occupation(session, "4-10-01-02", "育婴员", editor, catalogue_edition="2015")


def test_the_published_table_that_sums_to_110_is_refused_with_its_column_named(session: Session, standard: Standard,
                                                                               editor: Any) -> None:
    # 营养师三级 theory (domain.md 1.8): 40+5+10+10+15+5+10+10+5 = 110
    weights = (40, 5, 10, 10, 15, 5, 10, 10, 5)
    ranges = [RangeDraft((chr(65 + n),), f"范围{n + 1}", weight * 2) for n, weight in enumerate(weights)]
    with pytest.raises(Refused, match="weights_not_100") as refusal:
        write(session, standard, editor, ranges, level=3)
    assert "三级/高级工 理论知识" in refusal.value.sentence
    assert "合计 110，应为 100（40+5+10+10+15+5+10+10+5）" in refusal.value.sentence
    assert not session.scalars(sa.select(WeightTable)).all()


def test_editing_keeps_the_ids_of_ranges_and_points_that_stay(session: Session, standard: Standard, editor: Any) -> None:
    table = write(session, standard, editor, cook())
    before = {segments_of(found): found.id for found in table.ranges}
    points = {p.name: p.id for leaf in leaves(table) for p in leaf.points}
    changed = [RangeDraft(d.segments, d.name + "（修）", d.weight, d.points) for d in cook()]
    again = write(session, standard, editor, changed)
    assert again.id == table.id
    assert {segments_of(found): found.id for found in again.ranges} == before
    assert {p.name: p.id for leaf in leaves(again) for p in leaf.points} == points


def test_every_edit_of_a_range_makes_a_new_version_of_its_table(session: Session, standard: Standard, editor: Any) -> None:
    table = write(session, standard, editor, cook())
    seen = table.row_version
    set_points(session, leaves(table)[0], [PointDraft("001", "职业守则", "Y")], editor)
    assert table.row_version == seen + 1
    with pytest.raises(Refused, match="stale"):
        table.expect(seen)


def test_a_range_that_something_uses_cannot_be_removed_and_nothing_changes(session: Session, standard: Standard,
                                                                           editor: Any, people: People) -> None:
    skills = [RangeDraft(("01",), "原料加工", 120), RangeDraft(("02",), "菜肴制作", 80)]
    table = write(session, standard, editor, skills, subject=Subject.SKILL)
    _rubric_over(session, table, people)
    with pytest.raises(Refused, match="in_use") as refusal:
        write(session, standard, editor, [RangeDraft(("01",), "改名", 200)], subject=Subject.SKILL)
    assert refusal.value.details == ("“02 菜肴制作” 正在被评分表使用",)
    assert [found.name for found in table.ranges] == ["原料加工", "菜肴制作"]
    with pytest.raises(Refused, match="in_use"):
        remove_table(session, table, editor)


def _rubric_over(session: Session, table: WeightTable, people: People) -> None:
    from qbank.kernel.db import Base

    rubrics, rows = Base.metadata.tables["rubrics"], Base.metadata.tables["rubric_rows"]
    session.flush()
    connection = session.connection()
    values: dict[str, Any] = {"id": 1, "table_id": table.id, "institution_id": people.home.id, "name": "评分表"}
    connection.execute(rubrics.insert().values(**values | _blanks(rubrics, values)))
    row = {"id": 1, "rubric_id": 1, "range_id": leaves(table)[1].id}
    connection.execute(rows.insert().values(**row | _blanks(rows, row)))


def _blanks(table: sa.Table, given: dict[str, Any]) -> dict[str, Any]:
    """Some value for every column that needs one and was not given."""
    made: dict[str, Any] = {}
    for column in table.columns:
        if column.name in given or column.nullable or column.default is not None:
            continue
        if column.foreign_keys:
            made[column.name] = 1
        elif isinstance(column.type, sa.Enum):
            made[column.name] = column.type.python_type("points")
        else:
            made[column.name] = {int: 1, bool: False}.get(column.type.python_type, "一")
    return made


def test_points_stand_only_on_the_last_ranges_and_never_in_a_skill_table(session: Session, standard: Standard,
                                                                         editor: Any) -> None:
    ranges = cook()
    ranges[0] = RangeDraft(("A",), "基本要求", 72, (PointDraft("001", "错放", "X"),))
    with pytest.raises(Refused, match="points_on_parent"):
        write(session, standard, editor, ranges)
    with pytest.raises(Refused, match="skill_flat"):
        write(session, standard, editor, cook(0), subject=Subject.SKILL)
    table = write(session, standard, editor, cook())
    parent = session.scalars(sa.select(Range).where(Range.path == "A")).one()
    with pytest.raises(Refused, match="points_on_parent"):
        set_points(session, parent, [PointDraft("001", "错放", "X")], editor)
    assert len(table.ranges) == 8


@pytest.mark.parametrize(("points", "code"), [
    ([PointDraft("001", "甲", "X"), PointDraft("001", "乙", "Y")], "point_twice"),
    ([PointDraft("001", "甲", "W")], "importance"),
    ([PointDraft("0-1", "甲", "X")], "point_code"),
    ([PointDraft("001", "  ", "X")], "point_name"),
    ([PointDraft("001", "长" * 201, "X")], "point_name"),
])
def test_bad_points_are_refused_by_name(session: Session, standard: Standard, editor: Any, points: list[PointDraft],
                                        code: str) -> None:
    leaf = leaves(write(session, standard, editor, cook()))[0]
    with pytest.raises(Refused, match=code):
        set_points(session, leaf, points, editor)
    assert len(leaf.points) == 2


def test_an_unused_table_can_be_removed_with_its_tree(session: Session, standard: Standard, editor: Any) -> None:
    remove_table(session, write(session, standard, editor, cook()), editor)
    assert not session.scalars(sa.select(Range)).all()
    assert session.scalars(sa.select(Occupation)).one().standards == [standard]


def test_a_parent_whose_children_go_is_a_leaf_in_the_same_session(session: Session, standard: Standard, editor: Any) -> None:
    write(session, standard, editor, cook())
    table = write(session, standard, editor, [RangeDraft(("A",), "基本要求", 72), RangeDraft(("B",), "相关知识要求", 128)])
    assert [leaf.path for leaf in leaves(table)] == ["A", "B"]
    set_points(session, leaves(table)[0], [PointDraft("001", "职业道德", "X")], editor)
    assert [point.name for point in leaves(table)[0].points] == ["职业道德"]


def test_every_setting_of_the_rule_pack_has_its_chinese_label_and_its_group() -> None:
    import dataclasses

    from qbank.standards.rulepack import GROUPS, LABELS, RulePack

    names = {field.name for field in dataclasses.fields(RulePack)}
    assert names == set(LABELS) == {"name"} | {name for group in GROUPS.values() for name in group}


@pytest.mark.parametrize("text", ["[]", "1", "null", '{"notice_days": "7"}', '{"notice_days": true}', '{"x": 1}', "{"])
def test_a_stored_pack_that_cannot_hold_is_refused(text: str) -> None:
    from qbank.standards.rulepack import RulePack

    with pytest.raises(Refused, match="rule_pack"):
        RulePack.read(text)
