"""The doors of the preview grid, of foreign columns, of typed text and of the export."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import docx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from qbank import exchange
from qbank.exchange import commands, exporting
from qbank.exchange.models import ExportFile
from qbank.items import bank
from qbank.items.markup import pictures_in
from qbank.items.models import ImportBatch, ImportRow, ItemVersion
from qbank.items.states import BatchState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.commands import Installation
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import OHM, TITLES, book, ohm, row
from tests.qbank.test_exchange_pages import newest, send, text_of

Enter = Callable[[Viewer], FlaskClient]
ROOT = Path(__file__).parents[2]
JSON = {"Accept": "application/json"}


@pytest.fixture
def client(session: Session, chen: Viewer, table: WeightTable, enter: Enter) -> FlaskClient:
    session.commit()
    return enter(chen)


def rows_of(session: Session, batch: int) -> list[ImportRow]:
    found = list(session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == batch).order_by(ImportRow.id)
                                 .execution_options(populate_existing=True)))
    session.commit()
    return found


def test_a_row_is_mended_by_a_script_that_gets_verdicts_and_by_a_form(
        session: Session, people: People, table: WeightTable, client: FlaskClient) -> None:
    send(client, people, table, book(row(1, **{"答案": "E"}), row(2), row(2, **{"答案": "B"})))
    batch = newest(session).id
    one, two, three = rows_of(session, batch)
    page = text_of(client, f"/exchange/{batch}")
    assert page.count('name="题干"') == 3  # wrong rows are open
    assert 'name="题干"' in text_of(client, f"/exchange/{batch}/rows/{one.id}")
    assert 'name="题干"' not in text_of(client, f"/exchange/{batch}/rows/{one.id}?open=0")
    found = client.post(f"/exchange/{batch}/rows/{one.id}", data={"答案": "B", "act": "save"}, headers=JSON).get_json()
    assert found["counts"]["good"] == 1
    assert [(each["verdict"], each["errors"], each["undo"]) for each in found["rows"]] == [("good", {}, True)]
    found = client.post(f"/exchange/{batch}/rows/{two.id}", data={"act": "drop"}, headers=JSON).get_json()
    assert {each["id"]: each["verdict"] for each in found["rows"]} == {two.id: "dropped", three.id: "good"}
    answer = client.post(f"/exchange/{batch}/rows/{one.id}", data={"act": "undo", "verdict": "open"})
    assert answer.headers["Location"] == f"/exchange/{batch}?open={one.id}&verdict=open#row-{one.id}"
    assert "第 2 行" in text_of(client, f"/exchange/{batch}?verdict=wrong")
    assert client.post(f"/exchange/{batch}/rows/{one.id}", data={"act": "undo"}, headers=JSON).status_code == 409
    assert client.post(f"/exchange/{batch}/rows/999999", data={}).status_code == 404


def test_a_point_is_picked_in_the_row(session: Session, people: People, table: WeightTable, client: FlaskClient) -> None:
    send(client, people, table, book(row(1)))
    batch = newest(session).id
    [one] = rows_of(session, batch)
    shown = "A-A-001 安全用电要点1"
    same = client.post(f"/exchange/{batch}/rows/{one.id}", data={"point": shown, "point_shown": shown}, headers=JSON).get_json()
    assert not same["rows"][0]["undo"]
    client.post(f"/exchange/{batch}/rows/{one.id}", data={"point": "B-A-002 电路基础要点2", "point_shown": shown})
    [one] = rows_of(session, batch)
    assert (one.cells["鉴定范围"], one.cells["鉴定点"]) == ("B-A", "002")
    found = client.post(f"/exchange/{batch}/rows/{one.id}", data={"point": "随便写", "point_shown": shown}, headers=JSON).get_json()
    assert found["rows"][0]["verdict"] == "unmatched"
    assert "没有找到“随便写”" in found["rows"][0]["errors"]["鉴定点"][0]


def test_the_queue_and_many_rows_at_once(session: Session, people: People, table: WeightTable, client: FlaskClient) -> None:
    send(client, people, table, book(*(row(number, **{"鉴定范围": "", "鉴定点": "急救"}) for number in range(1, 4))))
    batch = newest(session).id
    page = text_of(client, f"/exchange/{batch}")
    words = re.search(r'name="words" value="(\w+)"', page)
    assert words
    assert "待匹配的鉴定点" in page
    assert client.post(f"/exchange/{batch}/match", data={"words": words[1], "point": "没有这个"}).status_code == 409
    assert client.post(f"/exchange/{batch}/match", data={"words": words[1], "point": "A-A-002 安全用电要点2"}).status_code == 302
    rows = rows_of(session, batch)
    assert {one.verdict.value for one in rows} == {"good"}
    keys = [str(one.id) for one in rows[:2]]
    assert client.post(f"/exchange/{batch}/bulk", data={"act": "point", "point": "B-A-001", "row": keys}).status_code == 302
    assert client.post(f"/exchange/{batch}/bulk", data={"act": "grade", "grade": "5", "row": keys}).status_code == 302
    assert client.post(f"/exchange/{batch}/bulk", data={"act": "drop", "row": keys[:1]}).status_code == 302
    rows = rows_of(session, batch)
    assert [(one.cells["鉴定范围"], one.cells["难度"], one.verdict.value) for one in rows] == [
        ("B-A", "5", "dropped"), ("B-A", "5", "good"), ("A-A", "1", "good")]
    for data in ({}, {"act": "drop"}, {"row": keys, "act": "x"}, {"row": keys, "act": "point", "point": ""}, {"row": "x", "act": "drop"}):
        assert client.post(f"/exchange/{batch}/bulk", data=data).status_code == 409


def test_a_long_queue_is_worked_off_the_request(
        session: Session, people: People, table: WeightTable, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qbank.exchange.grid_views.MANY", 2)
    monkeypatch.setattr("qbank.exchange.applying.SLICE", 2)
    send(client, people, table, book(*(row(number, **{"鉴定范围": "", "鉴定点": ""}) for number in range(1, 6))))
    batch = newest(session).id
    words = re.search(r'name="words" value="(\w+)"', text_of(client, f"/exchange/{batch}"))
    assert words
    answer = client.post(f"/exchange/{batch}/match", data={"words": words[1], "point": "A-A-002"})
    assert "/accounts/jobs/" in answer.headers["Location"]
    assert [(one.verdict.value, one.cells["鉴定点"]) for one in rows_of(session, batch)] == [("good", "002")] * 5


def test_foreign_columns_are_named_on_a_page(session: Session, people: People, table: WeightTable, client: FlaskClient) -> None:
    send(client, people, table, book(["电压的单位是？", "A.伏特 B.安培", "A"], titles=("问题", "备选项", "标准答案")))
    batch = newest(session)
    assert batch.state is BatchState.MAPPING
    assert "指定各列" in text_of(client, f"/exchange/{batch.id}")
    page = text_of(client, f"/exchange/{batch.id}/columns")
    assert page.count(" selected>题干 *") == 1
    assert client.post(f"/exchange/{batch.id}/columns", data={"head-0": "0", "column-0-0": "题干"}).status_code == 409
    columns = {"head-0": "0", "column-0-0": "题干", "column-0-1": "选项", "column-0-2": "答案", "grade-0": "2", "point-0": "A-A-001"}
    assert client.post(f"/exchange/{batch.id}/columns", data=columns).status_code == 302
    [one] = rows_of(session, batch.id)
    assert (one.verdict.value, one.cells["选项B"], one.cells["难度"], one.cells["鉴定点"]) == ("good", "安培", "2", "001")
    assert client.post(f"/exchange/{batch.id}/columns", data=columns).status_code == 409
    assert "不需要指定各列" in text_of(client, f"/exchange/{batch.id}/columns")


def test_typed_text_is_shown_as_it_is_read_and_imported(
        session: Session, people: People, table: WeightTable, client: FlaskClient) -> None:
    text = "1. 电阻的单位是（　　）。\nA. 伏特　B. 安培　C. 欧姆　D. 瓦特\n答案：C\n2. <script>电流（　　）。\nA. 甲　B. 乙\n"
    shown = client.post("/exchange/preview", data={"text": text}).get_data(as_text=True)
    assert "读到 2 道题" in shown
    assert "<script>" not in shown
    assert "没有读到" in shown
    assert client.post("/exchange/preview", data={}).status_code == 200
    assert client.post("/exchange/", data={"bank": f"{people.home.id}-{table.id}", "text": text}).status_code == 302
    batch = newest(session)
    assert (batch.format, batch.state) == ("text", BatchState.PREVIEWED)
    assert [one.verdict.value for one in rows_of(session, batch.id)] == ["unmatched", "wrong"]


def test_two_hundred_megabytes_are_refused_without_being_read(client: FlaskClient) -> None:
    class Endless(io.RawIOBase):
        """Fails the test when somebody reads it."""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise AssertionError("the upload was read")

    answer = client.post("/exchange/", content_type="multipart/form-data; boundary=x", environ_overrides={
        "wsgi.input": io.BufferedReader(Endless()), "CONTENT_LENGTH": str(200 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "上传的文件太大" in answer.get_data(as_text=True)


@pytest.fixture
def filled(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> list[ItemVersion]:
    """A bank of three: one with a guide that Aiken cannot carry, one retired."""
    made = [bank.add_item(session, table, people.home.id, draft, chen, now=clock()) for draft in (
        OHM, ohm(kind="short", stem="简述停电步骤。", options=(), key="停电、验电。", guide="2|停电\n2|验电", point_segment="002"), ohm(2))]
    bank.retire(session, made[2], chen, "过时", now=clock())
    session.commit()
    return made


def test_an_export_says_what_it_lost_before_it_is_downloaded(
        session: Session, people: People, table: WeightTable, filled: list[ItemVersion], chen: Viewer, clock: TestClock, enter: Enter) -> None:
    client = enter(chen)
    assert 'value="package"' in text_of(client, "/exchange/export")
    wish = {"bank": f"{people.home.id}-{table.id}", "format": "csv"}
    assert "/accounts/jobs/" in client.post("/exchange/export", data=wish).headers["Location"]
    client.post("/exchange/export", data=wish | {"format": "gift"})
    client.post("/exchange/export", data=wish | {"format": "package", "kind": "single"})
    plain, gift, package = session.scalars(sa.select(ExportFile).order_by(ExportFile.id)).all()
    session.commit()
    assert (plain.written, plain.losses, package.written) == (2, [], 1)
    assert "没有损失" in text_of(client, f"/exchange/exports/{plain.id}")
    found = exchange.read(io.BytesIO(client.get(f"/exchange/exports/{plain.id}/file").data))
    assert {one.draft.stem for one in found.items} == {OHM.stem, "简述停电步骤。"}
    assert gift.losses
    assert gift.losses[0][2] in text_of(client, f"/exchange/exports/{gift.id}")
    assert gift.losses[0][2] in client.get(f"/exchange/exports/{gift.id}/losses").get_data().decode("utf-8-sig")
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.table_name == "export_files")) == 3  # who took what is on record
    session.commit()
    for wrong in ({"bank": ""}, {"format": "text"}, {"format": ""}, {"kind": "judge"}):
        assert client.post("/exchange/export", data=wish | wrong).status_code == 409
    wu, he = people("外校教师", Role.ITEM_AUTHOR, school=people.school("衡州技师学院（演示）")), people("何敏", Role.PAPER_COMPOSER)
    session.commit()
    stranger, colleague = enter(wu), enter(he)
    for address in (f"/exchange/exports/{plain.id}", f"/exchange/exports/{plain.id}/file", f"/exchange/exports/{plain.id}/losses"):
        assert stranger.get(address).status_code == 404
        assert colleague.get(address).status_code == 404  # only for who asked
    assert stranger.post("/exchange/export", data=wish).status_code == 409
    exporting.forget(session, clock.forward(days=1) + timedelta(minutes=1))
    session.commit()
    client = enter(chen)
    assert client.get(f"/exchange/exports/{plain.id}/file").status_code == 409
    assert "只保留一天" in text_of(client, f"/exchange/exports/{plain.id}")


def test_a_package_takes_its_loss_report_along(
        session: Session, people: People, table: WeightTable, filled: list[ItemVersion], chen: Viewer, enter: Enter) -> None:
    client = enter(chen)
    client.post("/exchange/export", data={"bank": f"{people.home.id}-{table.id}", "format": "qti22"})
    file = session.scalars(sa.select(ExportFile)).one()
    session.commit()
    with zipfile.ZipFile(io.BytesIO(client.get(f"/exchange/exports/{file.id}/file").data)) as archive:
        assert ("export-losses.txt" in archive.namelist()) is bool(file.losses)


def test_a_reviewer_exports_no_key_that_is_not_shown_yet(
        session: Session, people: People, table: WeightTable, filled: list[ItemVersion], chen: Viewer, clock: TestClock, enter: Enter) -> None:
    bank.submit(session, filled[0], chen, now=clock())
    li = people("李明", Role.ITEM_REVIEWER)
    session.commit()
    client = enter(li)
    client.post("/exchange/export", data={"bank": f"{people.home.id}-{table.id}", "format": "csv"})
    file = session.scalars(sa.select(ExportFile)).one()
    session.commit()
    assert (file.written, [loss[1] for loss in file.losses]) == (0, ["整题", "整题"])  # drafts and submitted ones wait for blind answers
    assert "欧姆" not in client.get(f"/exchange/exports/{file.id}/file").get_data().decode()


def test_the_console_lists_formats_and_exports(
        session: Session, app: Flask, people: People, table: WeightTable, filled: list[ItemVersion], chen: Viewer, tmp_path: Path) -> None:
    extension = app.extensions["examroom"]
    installation = Installation(tmp_path)
    installation.__dict__.update(settings=extension["settings"], database=extension["database"])
    run = CliRunner().invoke
    assert "moodle" in run(commands.group, ["formats"]).output
    file = tmp_path / "出.examroom.zip"
    done = run(commands.group, ["export", str(file), "--table", str(table.id), "--format", "package", "--as", chen.login], obj=installation)
    assert "2 items written" in done.output, done.output
    assert [one.draft.stem for one in exchange.read(file).items] == [OHM.stem, "简述停电步骤。"]


def test_pages_hold_with_odd_values(session: Session, people: People, table: WeightTable, client: FlaskClient) -> None:
    send(client, people, table, book(row(1, **{"题干": "<b>" + "长" * 1990, "选项A": "{{7*7}}"}), row(2, **{"鉴定点": "'\"><img>", "鉴定范围": ""})))
    batch = newest(session).id
    page = text_of(client, f"/exchange/{batch}?verdict=nonsense&page=99&open=x")
    assert "<b>长" not in page
    assert "<img>" not in page
    for query in ("verdict=alike", "verdict=open", "open=", "verdict=imported"):
        assert client.get(f"/exchange/{batch}?{query}").status_code == 200
    [one, _] = rows_of(session, batch)
    assert client.post(f"/exchange/{batch}/rows/{one.id}", data={"题干": "x" * 30_000, "答案": "\ud800".encode("utf-8", "surrogatepass")}).status_code < 500
    assert session.get_one(ImportBatch, batch).state is BatchState.PREVIEWED


def test_a_picture_of_a_word_paper_goes_with_its_item(
        session: Session, people: People, table: WeightTable, client: FlaskClient) -> None:
    picture, document, stream = io.BytesIO(), docx.Document(), io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(picture, "PNG")
    document.add_paragraph("1. 图中的符号表示（　　）。").add_run().add_picture(io.BytesIO(picture.getvalue()))
    for line in ("A. 电阻　B. 电容", "答案：A", "鉴定点：A-A-001"):
        document.add_paragraph(line)
    document.save(stream)
    send(client, people, table, stream.getvalue(), "试卷.docx")
    batch = newest(session)
    [one] = rows_of(session, batch.id)
    assert (batch.format, one.verdict.value, one.errors) == ("word", "good", [])
    [sha] = pictures_in(one.cells["题干"])
    assert client.get(f"/items/pictures/{sha}").mimetype == "image/png"
    assert f'src="/items/pictures/{sha}"' in text_of(client, f"/exchange/{batch.id}/rows/{one.id}")
    assert client.post(f"/exchange/{batch.id}/apply").status_code == 302
    client.post("/exchange/export", data={"bank": f"{people.home.id}-{table.id}", "format": "package"})
    file = session.scalars(sa.select(ExportFile)).one()
    session.commit()
    found = exchange.read(io.BytesIO(client.get(f"/exchange/exports/{file.id}/file").data))
    assert list(found.pictures) == [sha]
    lost = one.cells | {"题干": one.cells["题干"].replace(sha, "0" * 64) + "另"}
    excel = book([lost.get(title, "") for title in TITLES])
    send(client, people, table, excel)
    assert "1 幅图片不在文件里" in text_of(client, f"/exchange/{newest(session).id}")
