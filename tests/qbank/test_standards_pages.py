"""Pages of occupations, standards, tables and rule packs: nothing typed is lost, nothing unasked is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.db import Database
from qbank.kernel.export import Table, workbook
from qbank.standards.models import Occupation, Range, Standard, StoredRulePack, Subject, WeightTable
from qbank.standards.packs import pack_for
from qbank.standards.tables import PointDraft, RangeDraft, add_occupation, add_standard, leaves, set_table
from tests.conftest import People

LONG = "工业机器人系统操作员（含多关节机器人、移动机器人与协作机器人的安装调试、示教编程、日常维护与技术培训等方向）第一分册"
THEORY = [RangeDraft(("A",), "基本要求", 40), RangeDraft(("A", "A"), "职业道德", 10, (PointDraft("001", "职业道德的含义", "X"),
                                                                       PointDraft("002", "职业守则", "Y"))),
          RangeDraft(("A", "B"), "基础知识", 30, (PointDraft("001", "安全用电", "X"),)),
          RangeDraft(("B",), "相关知识要求", 160, (PointDraft("001", "继电控制", "Z"),))]
SKILL = {5: (("电器安装和线路敷设", 40), ("继电控制电路装调维修", 40), ("基本电子电路装调维修", 20)),  # 电工 2018
         4: (("继电控制电路装调维修", 30), ("基本电子电路装调维修", 15), ("电气设备(装置)装调维修", 25), ("自动控制电路装调维修", 30))}


class World:
    """电工 2018 with one theory table and two skill tables."""

    def __init__(self, session: Session, people: People) -> None:
        self.officer = people("王芳", Role.EXAM_OFFICER)
        self.author = people("陈晓", Role.ITEM_AUTHOR)
        self.candidate = people("李明", Role.CANDIDATE)
        occupation = add_occupation(session, "6-31-01-03", "电工", self.officer, catalogue_edition="2015")
        standard = add_standard(session, occupation, self.officer, edition="2018", title="电工国家职业技能标准（2018年版）")
        table = set_table(session, standard, 4, Subject.THEORY, THEORY, self.officer, is_sample=True, source="")
        for level, rows in SKILL.items():
            ranges = [RangeDraft((f"{n:02d}",), name, weight * 2) for n, (name, weight) in enumerate(rows, start=1)]
            set_table(session, standard, level, Subject.SKILL, ranges, self.officer, is_sample=False, source="标准 4.2")
        self.occupation_id, self.standard_id, self.table_id = occupation.id, standard.id, table.id
        self.leaf_id = leaves(table)[0].id
        self.parent_id = next(found.id for found in table.ranges if found.path == "A")
        session.commit()


@pytest.fixture
def world(session: Session, people: People) -> World:
    return World(session, people)


def look(database: Database) -> Session:
    return database.open(None, reads_only=True)


def addresses(world: World) -> list[str]:
    return [address.format(o=world.occupation_id, s=world.standard_id, t=world.table_id, r=world.leaf_id) for address in (
        "/standards/", "/standards/occupations/{o}", "/standards/tables/{t}", "/standards/tables/{t}/print",
        "/standards/tables/{t}/workbook", "/standards/editions/{s}/compare/theory", "/standards/editions/{s}/compare/skill",
        "/standards/editions/{s}/compare/skill/workbook")]


def edit_addresses(world: World) -> list[str]:
    return [address.format(o=world.occupation_id, s=world.standard_id, t=world.table_id, r=world.leaf_id) for address in (
        "/standards/occupations/new", "/standards/occupations/{o}/edit", "/standards/occupations/{o}/standards/new",
        "/standards/editions/{s}/edit", "/standards/tables/{t}/edit", "/standards/ranges/{r}/points",
        "/standards/editions/{s}/skills", "/standards/editions/{s}/theory/3/new", "/standards/editions/{s}/intake",
        "/standards/templates/skill", "/standards/templates/theory", "/standards/templates/points")]


def test_staff_look_at_everything_and_only_editors_edit(world: World, enter: Callable[[Viewer], FlaskClient]) -> None:
    chen, wang, li = enter(world.author), enter(world.officer), enter(world.candidate)
    for address in addresses(world):
        assert chen.get(address).status_code == 200, address
        assert li.get(address).status_code == 403, address
    for address in edit_addresses(world):
        assert wang.get(address).status_code == 200, address
        assert chen.get(address).status_code == 403, address
    assert chen.post(f"/standards/tables/{world.table_id}/remove").status_code == 403


@pytest.mark.parametrize("address", [
    "/standards/occupations/999", "/standards/tables/999", "/standards/tables/999/edit", "/standards/ranges/999/points",
    "/standards/editions/999/skills", "/standards/editions/999/intake", "/standards/editions/1/compare/nonsense",
    "/standards/templates/nonsense", "/standards/editions/1/theory/6/new"])
def test_what_does_not_exist_is_404(world: World, enter: Callable[[Viewer], FlaskClient], address: str) -> None:
    assert enter(world.officer).get(address).status_code == 404


def test_an_empty_list_says_how_to_fill_it(session: Session, people: People, enter: Callable[[Viewer], FlaskClient]) -> None:
    wang, chen = people("王芳", Role.PAPER_COMPOSER), people("陈晓", Role.ITEM_AUTHOR)
    session.commit()
    assert "点右上角“添加职业”" in enter(wang).get("/standards/").get_data(as_text=True)
    page = enter(chen).get("/standards/").get_data(as_text=True)
    assert "添加职业</a>" not in page
    assert "没有符合条件的职业" in enter(chen).get("/standards/?q=%25").get_data(as_text=True)


def test_wang_fang_adds_an_occupation_and_its_standard(world: World, enter: Callable[[Viewer], FlaskClient],
                                                       database: Database) -> None:
    wang = enter(world.officer)
    answer = wang.post("/standards/occupations/new", data={"code": "6-30-99-00", "name": LONG, "catalogue_edition": "2015",
                                                           "is_access_type": "on"}, follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert LONG in page
    assert "不在技工院校职业技能等级认定范围内" in page
    assert "准入类，不在认定范围" in wang.get("/standards/?q=机器人").get_data(as_text=True)
    with look(database) as reading:
        key = reading.scalars(sa.select(Occupation.id).where(Occupation.code == "6-30-99-00")).one()
    data = {"title": "标准", "edition": "2020", "work_type": "安装", "document_number": "", "basis": "national_standard"}
    assert wang.post(f"/standards/occupations/{key}/standards/new", data=data).status_code == 302
    again = wang.post(f"/standards/occupations/{key}/standards/new", data=data)
    assert again.status_code == 409
    assert "的标准已经有了" in again.get_data(as_text=True)
    assert 'value="安装"' in again.get_data(as_text=True)
    assert wang.post(f"/standards/occupations/{key}/standards/new", data=data | {"work_type": "调试"}).status_code == 302


@pytest.mark.parametrize("data", [{}, {"code": "x", "name": "电工"}, {"code": "6-31-01-03", "name": "电工", "catalogue_edition": "20"},
                                  {"code": "6-31-01-09", "name": "长" * 201, "catalogue_edition": "2015"},
                                  {"code": "6-31-01-03", "name": "电工", "catalogue_edition": "2015"}])
def test_a_bad_occupation_keeps_what_was_typed(world: World, enter: Callable[[Viewer], FlaskClient],
                                               data: dict[str, str]) -> None:
    answer = enter(world.officer).post("/standards/occupations/new", data=data)
    assert answer.status_code == 409
    assert "没有保存" in answer.get_data(as_text=True)
    assert data.get("name", "") in answer.get_data(as_text=True)


def test_the_table_page_shows_counts_warnings_and_the_sample_mark(world: World, enter: Callable[[Viewer], FlaskClient]) -> None:
    page = enter(world.author).get(f"/standards/tables/{world.table_id}").get_data(as_text=True)
    assert "(02:01:01)" in page  # two X, one Y, one Z
    assert "50.0" in page  # X: 2 of 4
    assert "本表共 4 个鉴定点" in page
    assert "相差较大" in page  # 50/25/25 is far from 80/15/5
    assert "不是官方文本" in page


def test_the_printed_outline_merges_the_cells_of_its_ranges(world: World, enter: Callable[[Viewer], FlaskClient]) -> None:
    page = enter(world.author).get(f"/standards/tables/{world.table_id}/print").get_data(as_text=True)
    assert 'rowspan="3">基本要求' in page  # 2 points of 职业道德 + 1 of 基础知识
    assert 'rowspan="2">职业道德' in page
    assert page.count('<td class="point">') == 4
    assert "(02:01:00)" in page
    rows = re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1], flags=re.DOTALL)
    covered = sum(int(span or 1) for row in rows for span in re.findall(r'<td[^>]*?(?:rowspan="(\d+)")?>', row))
    assert covered == 4 * 9  # four points, two range levels and the point of three columns each: no hole, no overlap


TREE = {"depth": ["1", "2", "2", "1"], "segment": ["A", "A", "B", "B"], "name": ["基本要求", "职业道德", "基础知识", "相关知识要求"],
        "weight": ["25", "5", "20", "75"], "is_sample": "on"}


def test_weights_are_typed_and_points_stay(world: World, enter: Callable[[Viewer], FlaskClient], database: Database) -> None:
    answer = enter(world.officer).post(f"/standards/tables/{world.table_id}/edit", data=TREE)
    assert answer.status_code == 302
    with look(database) as reading:
        table = reading.get_one(WeightTable, world.table_id)
        assert [(leaf.path, leaf.weight, len(leaf.points)) for leaf in leaves(table)] == [
            ("A-A", 10, 2), ("A-B", 40, 1), ("B", 150, 1)]


@pytest.mark.parametrize(("change", "word"), [
    ({"weight": ["35", "5", "30", "75"]}, "各项比重合计 110，应为 100（35+75）"),
    ({"weight": ["25", "5", "19", "75"]}, "下级合计 24（5+19），应相等"),
    ({"weight": ["25", "5", "abc", "75"]}, "“abc”不是比重"),
    ({"weight": ["25", "5", "20.3", "75"]}, "不是 0.5 的整数倍"),
    ({"depth": ["1", "3", "2", "1"]}, "上面没有第 2 级范围"),
    ({"depth": ["1", "2", "x", "1"]}, "代码 B 出现了两次"),
    ({"segment": ["A", "A", "A", "B"]}, "出现了两次"),
    ({"segment": ["A", "A-1", "B", "B"]}, "每级代码应为 1 到 8 位字母或数字"),
    ({"is_sample": []}, "请填写来源"),
    ({"seen": "999"}, "其他人刚刚修改了这条记录"),
    ({"depth": [], "segment": [], "name": [], "weight": []}, "应为 100"),
])
def test_a_refused_tree_comes_back_as_it_was_typed(world: World, enter: Callable[[Viewer], FlaskClient], database: Database,
                                                   change: dict[str, Any], word: str) -> None:
    answer = enter(world.officer).post(f"/standards/tables/{world.table_id}/edit", data=TREE | change)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert word in page
    for text in (TREE | change)["weight"]:
        assert f'value="{text}"' in page
    with look(database) as reading:
        assert leaves(reading.get_one(WeightTable, world.table_id))[1].weight == 30  # as before


def test_a_theory_table_is_typed_from_nothing(world: World, enter: Callable[[Viewer], FlaskClient], database: Database) -> None:
    data = TREE | {"is_sample": [], "source": "标准 4.1，第 20 页"}
    answer = enter(world.officer).post(f"/standards/editions/{world.standard_id}/theory/3/new", data=data)
    assert answer.status_code == 302
    with look(database) as reading:
        table = reading.scalars(sa.select(WeightTable).where(WeightTable.level == 3)).one()
        assert (table.source, table.is_sample, len(table.ranges)) == ("标准 4.1，第 20 页", False, 4)
    assert enter(world.officer).get(f"/standards/editions/{world.standard_id}/theory/3/new").status_code == 302  # now edit


def test_points_are_added_renamed_and_removed(world: World, enter: Callable[[Viewer], FlaskClient], database: Database) -> None:
    data = {"segment": ["001", "002", "003", "004"], "name": ["职业道德的内涵", "职业守则", "爱岗敬业", ""],
            "importance": ["X", "Y", "Z", "X"], "remove": ["002"]}
    assert enter(world.officer).post(f"/standards/ranges/{world.leaf_id}/points", data=data).status_code == 302
    with look(database) as reading:
        points = [(p.segment, p.name, p.importance.value) for p in reading.get_one(Range, world.leaf_id).points]
        assert points == [("001", "职业道德的内涵", "X"), ("003", "爱岗敬业", "Z")]


@pytest.mark.parametrize(("change", "word"), [
    ({"name": ["", "职业守则"]}, "名称不能空"), ({"importance": ["Q", "Y"]}, "重要程度应为 X、Y 或 Z"),
    ({"segment": ["002", "002"]}, "出现了两次"), ({"seen": "999"}, "其他人刚刚修改了这条记录")])
def test_refused_points_come_back_as_they_were_typed(world: World, enter: Callable[[Viewer], FlaskClient],
                                                     change: dict[str, Any], word: str) -> None:
    data = {"segment": ["001", "002"], "name": ["改过的名称", "职业守则"], "importance": ["X", "Y"]} | change
    answer = enter(world.officer).post(f"/standards/ranges/{world.leaf_id}/points", data=data)
    assert answer.status_code == 409
    assert word in answer.get_data(as_text=True)
    assert 'value="职业守则"' in answer.get_data(as_text=True)
    assert enter(world.officer).post(f"/standards/ranges/{world.parent_id}/points", data=data).status_code == 409


def grid(world: World, **change: Any) -> dict[str, Any]:
    names = ["电器安装和线路敷设", "继电控制电路装调维修", "基本电子电路装调维修", "电气设备(装置)装调维修", "自动控制电路装调维修", ""]
    return {"was": names, "name": names, "weight-5": ["40", "40", "20", "-", "-", ""], "weight-4": ["-", "30", "15", "25", "30", ""],
            "source-5": "标准 4.2", "source-4": "标准 4.2", "source-3": "标准 4.2", "seen-5": "1", "seen-4": "1"} | change


def test_levels_stand_side_by_side_and_a_third_is_added(world: World, enter: Callable[[Viewer], FlaskClient],
                                                        database: Database) -> None:
    with look(database) as reading:
        before = {found.name: found.id for found in reading.scalars(sa.select(Range).join(WeightTable).where(
            WeightTable.level == 4, WeightTable.subject == Subject.SKILL))}
    data = grid(world, **{"weight-3": ["-", "15", "", "85", "—", ""], "weight-4": ["-", "20", "25", "25", "30", ""]})
    data["name"] = [*data["name"][:4], "自动控制系统装调维修", ""]
    answer = enter(world.officer).post(f"/standards/editions/{world.standard_id}/skills", data=data, follow_redirects=True)
    assert "已保存 2 个等级" in answer.get_data(as_text=True)  # 五级 was left as it is
    with look(database) as reading:
        tables = {table.level: table for table in reading.get_one(Standard, world.standard_id).tables
                  if table.subject is Subject.SKILL}
        assert {found.name: found.weight for found in tables[3].ranges} == {"继电控制电路装调维修": 30, "电气设备(装置)装调维修": 170}
        after = {found.name: found.id for found in tables[4].ranges}
        assert after["继电控制电路装调维修"] == before["继电控制电路装调维修"]
        assert after["自动控制系统装调维修"] == before["自动控制电路装调维修"]  # renamed, not replaced


@pytest.mark.parametrize(("change", "word"), [
    ({"weight-4": ["-", "40", "15", "25", "30", ""]}, "四级/中级工 技能要求：各项比重合计 110，应为 100（40+15+25+30）"),
    ({"weight-4": ["-", "x", "15", "25", "30", ""]}, "“继电控制电路装调维修”：“x”不是比重"),
    ({"weight-4": ["", "", "", "", "", ""]}, "不能整列清空"),
    ({"source-4": ""}, "请填写来源"), ({"name": ["同名", "同名", "丙", "丁", "戊", ""]}, "“同名”出现了两次"),
    ({"seen-4": "7", "weight-4": ["-", "31", "14", "25", "30", ""]}, "其他人刚刚修改了这条记录"),
])
def test_a_bad_column_is_named_and_the_grid_comes_back(world: World, enter: Callable[[Viewer], FlaskClient], database: Database,
                                                       change: dict[str, Any], word: str) -> None:
    data = grid(world, **{"weight-5": ["50", "30", "20", "-", "-", ""]}, **change)
    answer = enter(world.officer).post(f"/standards/editions/{world.standard_id}/skills", data=data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert word in page
    assert 'value="50"' in page
    with look(database) as reading:  # the good column of 五级 was not written either
        assert not reading.scalars(sa.select(Range).where(Range.weight == 100)).all()


def test_a_removed_table_is_gone(world: World, enter: Callable[[Viewer], FlaskClient], database: Database) -> None:
    assert enter(world.officer).post(f"/standards/tables/{world.table_id}/remove").status_code == 302
    with look(database) as reading:
        assert reading.get(WeightTable, world.table_id) is None


# Intake

def send(client: FlaskClient, world: World, content: bytes, name: str = "权重.xlsx", **fields: Any) -> Any:
    data = {"kind": "skill", "is_sample": "on", "file": (BytesIO(content), name)} | fields
    return client.post(f"/standards/editions/{world.standard_id}/intake", data=data)


def test_a_workbook_is_previewed_then_the_chosen_levels_are_written(world: World, enter: Callable[[Viewer], FlaskClient],
                                                                    database: Database) -> None:
    columns = [("职业功能", 20), ("四级/中级工", 9), ("三级/高级工", 9), ("二级/技师", 9)]
    rows = [["继电控制电路装调维修", 60, 15, "-"], ["交直流传动系统装调维修", 40, 95, 100]]
    wang = enter(world.officer)
    answer = send(wang, world, workbook([Table("技能", columns, rows, "电工")]))
    page = answer.get_data(as_text=True)
    assert "三级/高级工 技能要求：各项比重合计 110，应为 100（15+95）" in page
    assert "将被改写" in page
    assert "将被删除" in page
    with look(database) as reading:
        assert len(reading.scalars(sa.select(WeightTable)).all()) == 3  # a preview writes nothing
    load = re.search(r'name="load" value="([^"]+)"', page)
    assert load
    done = wang.post(f"/standards/editions/{world.standard_id}/intake/write", data={"load": load[1], "level": ["2", "3"]},
                     follow_redirects=True)
    assert "已写入 1 个等级" in done.get_data(as_text=True)  # 三级 is bad and cannot be smuggled in
    with look(database) as reading:
        assert sorted(table.level for table in reading.scalars(sa.select(WeightTable).where(
            WeightTable.subject == Subject.SKILL))) == [2, 4, 5]
    twice = wang.post(f"/standards/editions/{world.standard_id}/intake/write", data={"load": load[1], "level": ["2"]})
    assert twice.status_code == 409  # the table exists meanwhile: somebody else may have made it
    assert "其他人刚刚修改" in twice.get_data(as_text=True)


@pytest.mark.parametrize(("fields", "word"), [
    ({"content": b"PK\x03\x04 broken"}, "已损坏"), ({"content": "职业功能,五级\n".encode("gbk"), "name": "a.csv"}, "不是 Excel 工作簿"),
    ({"content": b""}, "空文件"), ({"kind": "x"}, "请选择导入哪一种表"), ({"kind": "points"}, "请选择这张细目表是哪个等级的"),
    ({"is_sample": [], "source": " "}, "请填写来源"), ({"kind": "theory", "content": workbook([Table("表", [("甲", 3)], [])])}, "没有找到表头"),
    ({"kind": "points", "level": "4"}, "没有找到细目表的表头")])
def test_an_upload_that_cannot_be_read_says_what_to_do(world: World, enter: Callable[[Viewer], FlaskClient],
                                                       fields: dict[str, Any], word: str) -> None:
    content = fields.pop("content", None)
    answer = send(enter(world.officer), world, workbook([Table("表", [("职业功能", 9), ("五级", 9)], [])]) if content is None else content,
                  **fields)
    assert answer.status_code == 409
    assert word in answer.get_data(as_text=True)


@pytest.mark.parametrize("load", ["", "nonsense", "eyJhIjoxfQ.x.y"])
def test_a_forged_preview_is_refused(world: World, enter: Callable[[Viewer], FlaskClient], load: str) -> None:
    answer = enter(world.officer).post(f"/standards/editions/{world.standard_id}/intake/write", data={"load": load, "level": "4"})
    assert answer.status_code == 409


def test_an_exported_outline_comes_back_unchanged(world: World, enter: Callable[[Viewer], FlaskClient]) -> None:
    wang = enter(world.officer)
    content = wang.get(f"/standards/tables/{world.table_id}/workbook").data
    page = send(wang, world, content, kind="points", level="4").get_data(as_text=True)
    assert "与现有的表相同" in page
    assert "(02:01:01)" in page


# Rule packs

@pytest.fixture
def province(session: Session, people: People) -> Viewer:
    viewer = people("赵处长", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")])
    session.commit()
    return viewer


def fields(**change: Any) -> dict[str, Any]:
    from qbank.standards.rulepack import GROUPS, RulePack

    default = RulePack()
    typed = {name: str(getattr(default, name)) for group in GROUPS.values() for name in group
             if getattr(default, name) is not False}  # a box without a tick is not sent
    return typed | {"name": "湖南省规则包", "region": "43", "reason": "湘人社发〔2026〕12号"} | change


def test_the_province_sets_stricter_numbers_for_its_schools(province: Viewer, people: People, database: Database,
                                                            enter: Callable[[Viewer], FlaskClient]) -> None:
    zhao = enter(province)
    answer = zhao.post("/standards/packs/new", data=fields(notice_days="10", theory_minutes="120"), follow_redirects=True)
    assert "已保存" in answer.get_data(as_text=True)
    with look(database) as reading:
        pack = pack_for(reading, people.home)
        assert (pack.notice_days, pack.theory_minutes, pack.archive_years, pack.panel_odd) == (10, 120, 5, True)
        assert reading.scalars(sa.select(StoredRulePack)).one().values == \
            '{"name": "湖南省规则包", "notice_days": 10, "theory_minutes": 120}'
    assert "湖南省规则包" in zhao.get("/standards/packs").get_data(as_text=True)


@pytest.mark.parametrize(("change", "word"), [
    ({"notice_days": "6"}, "“公示不少于”不得少于 7 天"), ({"plan_working_days": "9"}, "不得少于 10"),
    ({"archive_years": "2"}, "不得少于 3"), ({"least_panel": "三"}, "应填写 0 到 10000 之间的整数"),
    ({"theory_minutes": ""}, "应填写"), ({"approvals_per_item": "0"}, "应在 1 到"), ({"overlap_alarm_percent": "101"}, "应在 1 到 100"),
    ({"review_form": "材料 50%、答辩 40%"}, "100%"),
    ({"region": "湖南"}, "地区代码应为"), ({"region": "44"}, "您不能设置地区 44"), ({"name": " "}, "请填写规则包名称")])
def test_looser_than_the_notice_or_out_of_range_is_refused(province: Viewer, enter: Callable[[Viewer], FlaskClient],
                                                           change: dict[str, str], word: str) -> None:
    answer = enter(province).post("/standards/packs/new", data=fields(**change, make_up_years="2"))
    assert answer.status_code == 409
    assert word in answer.get_data(as_text=True)
    assert 'name="make_up_years" inputmode="numeric" size="6" value="2"' in answer.get_data(as_text=True)


def test_another_province_and_other_staff_find_no_pack_to_edit(session: Session, people: People, province: Viewer, world: World,
                                                               enter: Callable[[Viewer], FlaskClient]) -> None:
    assert enter(province).post("/standards/packs/new", data=fields()).status_code == 302
    guangdong = people("林处长", scopes=[Scope(Role.PROVINCE_OFFICER, region="44")])
    institution = people("周处长", Role.PROVINCE_OFFICER, school=people.school("广东中心", region="440000"))
    session.commit()
    for stranger in (guangdong, institution):
        assert enter(stranger).get("/standards/packs/1").status_code == 404
        assert enter(stranger).post("/standards/packs/1", data=fields()).status_code == 404
    assert enter(world.officer).get("/standards/packs").status_code == 403
    assert enter(province).post("/standards/packs/1", data=fields(seen="9")).status_code == 409
    assert enter(province).post("/standards/packs/new", data=fields()).status_code == 409  # region 43 has one
