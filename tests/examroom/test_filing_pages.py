"""The filing's pages and printed forms, walked by school, city and province; strangers find nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy.orm import Session

from examroom.filing import annexes
from examroom.filing.application_models import Application, FormTaking
from examroom.filing.commands import group
from examroom.filing.states import ApplicationState, Ground
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.settings import Settings
from tests.conftest import People, TestClock
from tests.filing_world import CREDIT_CODE, PDF, PLAN, ROWS, UNIT, FilingWorld
from tests.plan_world import identity_number, roster_file, run

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: People) -> FilingWorld:
    return FilingWorld.make(session, people)


def grid(rows: list[dict[str, str]], part: annexes.Part) -> dict[str, list[str]]:
    """What the browser sends for a table, an empty line at its end."""
    names = ["id", *(field.key for field in part.columns)]
    return {f"row-{name}": [row.get(name, "") for row in [*rows, {}]] for name in names}


def upload(content: bytes, name: str, **more: str) -> dict[str, Any]:
    return {"file": (io.BytesIO(content), name), **more}


def test_school_city_and_province_do_it_all_on_their_pages(world: FilingWorld, session: Session, app: Flask, enter: Enter) -> None:
    session.commit()
    liu, tan, yao = enter(world.liu), enter(world.tan), enter(world.yao)
    assert liu.post("/filing/applications/new", data={"institution_id": world.school.id, "kind": "nonsense"}).status_code == 409
    assert liu.post("/filing/applications/new", data={"institution_id": world.school.id, "kind": "first"}).location == "/filing/applications/1"
    base = "/filing/applications/1"
    assert "还缺" not in liu.get("/filing/applications").get_data(as_text=True)
    assert "附件2 二：没有上传事业单位法人证书" in liu.get(base).get_data(as_text=True)
    assert tan.get(base).status_code == 404  # a draft is the school's own
    assert liu.post(f"{base}/unit", data=UNIT | {"credit_code": "123"}).status_code == 409
    assert liu.post(f"{base}/unit", data=UNIT | {"credit_code": CREDIT_CODE}).status_code == 302
    bad = {"standard_id": [world.standard.id], "level": ["9"], "major": [""], "formerly": [""], "industry_standard": [""], "renews_id": [""]}
    assert liu.post(f"{base}/occupations", data=bad).status_code == 409
    lines = bad | {"standard_id": [world.standard.id, ""], "level": ["3", ""], "major": ["电气", ""], "formerly": ["1", ""], "industry_standard": ["", ""],
                   "renews_id": ["", ""]}
    assert liu.post(f"{base}/occupations", data=lines).status_code == 302
    for part in annexes.PARTS:
        assert liu.post(f"{base}/rows?part={part.key}", data=grid(ROWS[part.key], part)).status_code == 302
        assert ROWS[part.key][0]["name"] in liu.get(f"{base}/rows?part={part.key}").get_data(as_text=True)
    assert liu.post(f"{base}/plan", data=PLAN).status_code == 302
    for paper in annexes.MATERIALS:
        assert liu.post(f"{base}/materials", data=upload(PDF, f"{paper.key}.pdf", kind=paper.key)).status_code == 302
    assert "已齐全" in liu.get(base).get_data(as_text=True)
    assert liu.post(f"{base}/submit").status_code == 409  # without the pledge
    assert liu.post(f"{base}/submit", data={"pledged": "1"}).status_code == 302
    assert liu.post(f"{base}/plan", data=PLAN).status_code == 409
    assert tan.post(f"{base}/assess", data={}).status_code == 409
    oks = {f"ok-{key}": "1" for key, _, _ in annexes.CHECKS}
    assert tan.post(f"{base}/assess", data=oks | upload(PDF, "记录.pdf", visited_on="2026-06-01", members="谭晓峰", opinion="具备条件")).status_code == 302
    assert tan.get("/filing/assessments/1/file", buffered=True).data == PDF
    assert tan.post(f"{base}/decide", data={"comment": "同意"}).status_code == 409
    assert tan.post(f"{base}/decide", data={"agrees-1": "1", "comment": "同意备案"}).status_code == 302
    answer = {"agrees-1": "1", "comment": "复核通过", "valid_from": "2026-06-01"}
    refused = yao.post(f"{base}/decide", data=answer)
    assert refused.status_code == 409
    assert "高级工及以上" in refused.get_data(as_text=True)
    assert "复核通过" in refused.get_data(as_text=True)  # what was typed is still there
    assert yao.post(f"{base}/decide", data=answer | {"consent-1": "1"}).status_code == 302
    page = app.test_client().get("/filing/directory").get_data(as_text=True)
    assert "湘江技师学院" in page
    assert "三级/高级工</td>" in page
    book = openpyxl.load_workbook(io.BytesIO(yao.get("/filing/ministry.xlsx").data)).active
    assert book is not None
    assert [cell.value for cell in book[4]][1:3] == ["湘江技师学院（演示）", "技师学院"]
    assert yao.post("/filing/ministry/report", data={"event": "1", "reported_on": "2026-06-01", "receipt": "9 号"}).status_code == 302
    assert "9 号" in yao.get("/filing/ministry").get_data(as_text=True)
    assert yao.get("/filing/ministry/1/report.xlsx").data[:2] == b"PK"
    assert session.get_one(Application, 1).state is ApplicationState.DECIDED


def test_the_form_is_printed_as_annex_1_lays_it_out_with_masked_numbers(world: FilingWorld, session: Session, enter: Enter) -> None:
    one = world.submitted(4)
    session.commit()
    liu, tan = enter(world.liu), enter(world.tan)
    number, base = identity_number(901), f"/filing/applications/{one.id}"
    text = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(tan.get(f"{base}/form.pdf").data)).pages)
    headings = ("一、申请单位基本信息", "二、申请开展评价的职业", "三、院校主干专业范围", "四、场地设备等情况", "（一）场地情况", "（二）设施设备情况",
                "（三）计算机考务管理", "五、人员情况", "（一）专职工作人员", "（二）专家情况", "（三）考评人员", "备案申请材料清单", "试点工作实施方案")
    places = [text.find(heading) for heading in headings]
    assert -1 not in places
    assert places == sorted(places)
    for told in ("国家职业技能标准《电工》（2018年版）", "YL-158GA1", "海康威视", "430102********"):
        assert told in text
    assert number not in text
    made = Document(io.BytesIO(tan.get(f"{base}/form.docx").data))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    assert {"职业编码", "6-31-01-03", "规格型号", "所有权归属", "考评职业领域", "彭思源"} <= set(cells)
    assert number not in cells
    assert liu.get(f"{base}/full-form").status_code == 405  # a link must not give whole numbers
    assert tan.post(f"{base}/full-form").status_code == 403
    full = liu.post(f"{base}/full-form", data={"format": "docx"}).data
    assert number in [cell.text for table in Document(io.BytesIO(full)).tables for row in table.rows for cell in row.cells]
    assert number in "".join(page.extract_text() for page in PdfReader(io.BytesIO(liu.post(f"{base}/full-form").data)).pages)
    assert [taken.format for taken in session.query(FormTaking)] == ["docx", "pdf"]
    assert number not in liu.get(f"{base}/rows?part=staff").get_data(as_text=True)


def test_tables_from_excel_and_by_hand_name_their_faults(world: FilingWorld, session: Session, enter: Enter) -> None:
    one = world.begin()
    session.commit()
    liu, base = enter(world.liu), f"/filing/applications/{one.id}"
    template = liu.get(f"{base}/rows.xlsx?part=staff").data
    assert "身份证号" in [cell.value for row in openpyxl.load_workbook(io.BytesIO(template)).worksheets[0] for cell in row]
    head = ("姓名", "身份证号", "职务/职称", "学历", "主要工作职责")
    good = roster_file([("刘建平", identity_number(901), "所长", "大学本科", "全面")], head)
    wrong = roster_file([("刘建平", "430102200801019019", "所长", "大学本科", "全面")], head)
    answer = liu.post(f"{base}/rows/upload?part=staff", data=upload(wrong, "人员.xlsx", how="replace"))
    assert answer.status_code == 409
    assert "第 1 行（刘建平）" in answer.get_data(as_text=True)
    assert liu.post(f"{base}/rows/upload?part=staff", data=upload(b"text", "人员.xlsx")).status_code == 409
    assert liu.post(f"{base}/rows/upload?part=staff", data=upload(good, "人员.xlsx", how="replace")).status_code == 302
    page = liu.get(f"{base}/rows?part=staff").get_data(as_text=True)
    assert "刘建平" in page
    assert identity_number(901) not in page
    part = annexes.PART_OF["staff"]
    refused = liu.post(f"{base}/rows?part=staff", data=grid([{"name": "王五", "identity": "1"}], part))
    assert refused.status_code == 409
    assert 'value="王五"' in refused.get_data(as_text=True)
    stale = grid(ROWS["staff"], part) | {"row_version": ["1"]}
    assert "其他人刚刚修改" in liu.post(f"{base}/rows?part=staff", data=stale).get_data(as_text=True)


def test_evaluation_and_removal_go_from_city_to_province(world: FilingWorld, session: Session, clock: TestClock, app: Flask, enter: Enter) -> None:
    world.filed(4)
    world.now = clock.forward(days=330)
    session.commit()
    liu, tan, yao = enter(world.liu), enter(world.tan), enter(world.yao)
    form = {"institution_id": world.school.id, "starts_on": "2026-06-01", "ends_on": "2027-04-01", "verdict": "unqualified"}
    assert tan.post("/filing/evaluations/new", data=form | {"verdict": ""}).status_code == 409
    assert tan.post("/filing/evaluations/new", data=form | upload(PDF, "盖章.pdf")).status_code == 302
    assert yao.get("/filing/evaluations/1").status_code == 404  # not reported yet
    assert tan.post("/filing/evaluations/1/report").status_code == 409  # parts are missing
    assert tan.post("/filing/evaluations/1/edit", data=form | {entry.key: "有关情况如下" for entry in annexes.REPORT}).status_code == 302
    assert tan.post("/filing/evaluations/1/report").status_code == 302
    assert yao.get("/filing/evaluations/1/file", buffered=True).data == PDF
    text = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(yao.get("/filing/evaluations/1/report.pdf").data)).pages)
    assert "评估不合格" in text
    assert "四、存在的问题与整改" in text
    book = openpyxl.load_workbook(io.BytesIO(yao.get("/filing/evaluations.xlsx").data)).active
    assert book is not None
    assert "湘江技师学院（演示）" in [cell.value for row in book for cell in row]
    assert liu.get("/filing/evaluations/1").status_code == 404  # the school sees it when it is decided
    assert yao.post("/filing/evaluations/1/decide", data={"continues": "0", "decision": "不合格"}).status_code == 302
    assert liu.get("/filing/evaluations/1").status_code == 200
    assert "待省鉴定中心决定" in tan.get("/filing/removals").get_data(as_text=True)
    assert tan.post("/filing/removals/new", data={"institution_id": world.school.id, "ground": Ground.VIOLATION.value, "reason": "又"}).status_code == 409
    assert yao.post("/filing/removals/1/decide", data={"removes": "x", "decision": "取消"}).status_code == 409
    assert yao.post("/filing/removals/1/decide", data={"removes": "1", "decision": "取消试点资格", "row_version": "1"}).status_code == 302
    anyone = app.test_client()
    assert "湘江技师学院" not in anyone.get("/filing/directory").get_data(as_text=True)
    assert "取消试点资格" in anyone.get("/filing/directory/changes").get_data(as_text=True)


def test_a_stranger_from_another_school_and_a_city_officer_from_another_city_find_nothing(
        world: FilingWorld, session: Session, enter: Enter, settings: Settings) -> None:
    one = world.submitted(4)
    world.assess(one)
    world.evaluated()
    elsewhere = world.people.school("外地学院", region="430700")
    strangers = [world.people("外校考务", Role.EXAM_OFFICER, school=elsewhere), world.people("外地市", scopes=[Scope(Role.CITY_OFFICER, region="4307")]),
                 world.people("外省", scopes=[Scope(Role.PROVINCE_OFFICER, region="44")])]
    session.commit()
    addresses = [f"/filing/applications/{one.id}{page}" for page in (
        "", "/unit", "/occupations", "/rows", "/rows.xlsx", "/plan", "/materials", "/form.pdf", "/form.docx", "/assess", "/decide")]
    addresses += [f"/filing/materials/{one.materials[0].id}", "/filing/assessments/1/file", "/filing/evaluations/1", "/filing/evaluations/1/report.pdf"]
    for who in strangers:
        client = enter(who)
        for address in addresses:
            assert client.get(address).status_code in {403, 404}, address
        for act in ("submit", "withdraw", "send-back", "full-form", "rows/upload", "unit", "materials"):
            assert client.post(f"/filing/applications/{one.id}/{act}").status_code in {403, 404}, act
        assert one.number not in client.get("/filing/applications").get_data(as_text=True)
    told = run(group, settings, "applications")
    assert re.search(rf"{one.number}\t湘江技师学院（演示）\t首次备案\t待市鉴定中心审核", told)
