"""The import pages: upload, preview, import, give up, take back; and the command."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from qbank.exchange import commands as exchange_commands
from qbank.exchange import todo
from qbank.exchange.mapping import COLUMNS
from qbank.exchange.tabular import look_at_excel
from qbank.items import bank
from qbank.items import commands as items_commands
from qbank.items.models import ImportBatch, ItemVersion
from qbank.items.states import BatchState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.commands import Installation
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import book, ohm, row

Enter = Callable[[Viewer], FlaskClient]
BAD = {"答案": "E"}


def send(client: FlaskClient, people: People, table: WeightTable, content: bytes, name: str = "电工四级.xlsx") -> TestResponse:
    return client.post("/exchange/", data={"bank": f"{people.home.id}-{table.id}", "file": (BytesIO(content), name)})


def newest(session: Session) -> ImportBatch:
    found = session.scalars(sa.select(ImportBatch).order_by(ImportBatch.id.desc()).execution_options(populate_existing=True)).first()
    session.commit()  # SQLite has one writer, and this session takes the lock when it reads
    assert found is not None
    return found


def text_of(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_upload_preview_import_and_take_back(
        session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    assert "还没有导入过试题" in text_of(client, "/exchange/")
    assert "/accounts/jobs/" in send(client, people, table, book(row(1), row(2, **BAD), row(3), row(1))).headers["Location"]
    batch = newest(session)
    text = text_of(client, f"/exchange/{batch.id}")
    for word in ("导入 2 道题", "放弃", "题目 第 3 行", "“E”不是这道题的选项", "与本文件第 2 行相同"):
        assert word in text
    assert text.index("第 3 行") < text.index("第 2 行相同")  # errors first
    assert "“E”" not in text_of(client, f"/exchange/{batch.id}?verdict=good")
    assert [entry.endpoint for entry in todo.todo(session, chen, now=clock())] == ["exchange.show"]
    session.commit()
    assert client.post(f"/exchange/{batch.id}/apply").status_code == 302
    assert "查看这一批题" in text_of(client, f"/exchange/{batch.id}")
    assert client.post(f"/exchange/{batch.id}/apply").status_code == 409
    assert client.post(f"/exchange/{batch.id}/discard").status_code == 409
    assert client.post(f"/exchange/{batch.id}/revert").status_code == 302
    assert newest(session).state is BatchState.REVERTED
    assert session.scalars(sa.select(ItemVersion)).all() == []


def test_the_error_file_holds_the_cells_and_what_is_wrong_and_can_be_mended(
        session: Session, people: People, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    send(client, people, table, book([*row(2, **BAD), "老张"], titles=(*COLUMNS[:8], "答案", "难度", "解析", "出处", "审核人")))
    answer = client.get(f"/exchange/{newest(session).id}/errors")
    lines = list(openpyxl.load_workbook(BytesIO(answer.data)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert lines[0] == ("错误", "原工作表", "原行号", "鉴定范围", "鉴定点", "题型", "题干", "选项A", "选项B", "选项C", "选项D", "答案", "难度", "审核人")
    assert "“E”不是这道题的选项" in lines[1][0]
    assert lines[1][1:3] == ("题目", 2)
    assert lines[1][-1] == "老张"
    assert look_at_excel(answer.data, "改.xlsx").rows[0].cells["答案"] == "E"


def test_the_same_file_again_names_the_first_batch(
        session: Session, people: People, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    client, content = enter(chen), book(row(1))
    send(client, people, table, content)
    first = newest(session).id
    client.post(f"/exchange/{first}/apply")
    send(client, people, table, content)
    second = newest(session).id
    text = text_of(client, f"/exchange/{second}")
    assert f'/exchange/{first}">批次 {first}</a>' in text
    assert "完全相同" in text
    assert "<span data-apply hidden>" in text
    assert client.post(f"/exchange/{second}/apply").status_code == 409
    client.post(f"/exchange/{second}/discard")
    assert newest(session).state is BatchState.DISCARDED


@pytest.mark.parametrize(("content", "word"), [
    (b"", "空文件"), (book(row(1))[:900], "打不开"), (book(), "只有表头"),
])
def test_a_bad_file_gets_a_sentence_on_a_page(
        session: Session, people: People, table: WeightTable, chen: Viewer, enter: Enter, content: bytes, word: str) -> None:
    session.commit()
    client = enter(chen)
    answer = send(client, people, table, content)
    text = answer.get_data(as_text=True) if answer.status_code == 409 else text_of(client, f"/exchange/{newest(session).id}")
    assert word in text
    assert "重新上传" in text or "上传并检查" in text
    assert session.scalars(sa.select(ItemVersion)).all() == []


def test_odd_forms_are_refused(session: Session, people: People, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    assert client.post("/exchange/", data={}).status_code == 409
    assert client.post("/exchange/", data={"bank": "9-9", "file": (BytesIO(b"x"), "a.xlsx")}).status_code == 409
    assert client.post("/exchange/", data={"bank": f"{people.home.id}-{table.id}", "file": "text"}).status_code == 409


def test_the_template_is_read_by_the_importer_that_refuses_its_examples(
        session: Session, people: People, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    content = client.get(f"/exchange/template?table={table.id}").data
    sheets = openpyxl.load_workbook(BytesIO(content))
    assert sheets.sheetnames == ["题目", "填写说明", "鉴定点一览"]
    lists = {rule.formula1: str(rule.sqref).split(":")[0] for rule in sheets["题目"].data_validations.dataValidation}
    assert lists == {'"单选题,多选题,判断题,填空题,简答题,论述题"': "C2", '"易,较易,中,较难,难"': "P2", "'鉴定点一览'!$F$3:$F$8": "B2"}
    assert sheets["鉴定点一览"]["F3"].value == "A-A-001 安全用电要点1"
    assert sheets["鉴定点一览"].max_row == 8  # title, head, six points
    assert tuple(cell.value for cell in sheets["题目"][1]) == COLUMNS
    send(client, people, table, content)
    text = text_of(client, f"/exchange/{newest(session).id}")
    assert text.count("这是模板里的示例行，请删除。") == 6
    assert "<span data-apply hidden>" in text
    assert client.get("/exchange/template").status_code == 200
    assert client.get("/exchange/template?table=999").status_code == 404


def test_large_batches_are_written_off_the_request(
        session: Session, people: People, table: WeightTable, chen: Viewer, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qbank.exchange.views.MANY", 1)
    session.commit()
    client = enter(chen)
    send(client, people, table, book(row(1), row(2)))
    batch = newest(session).id
    assert "/accounts/jobs/" in client.post(f"/exchange/{batch}/apply").headers["Location"]
    assert newest(session).added == 2
    assert "/accounts/jobs/" in client.post(f"/exchange/{batch}/revert").headers["Location"]
    assert newest(session).state is BatchState.REVERTED


def test_what_stops_a_revert_is_shown(
        session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock, enter: Enter) -> None:
    session.commit()
    client = enter(chen)
    send(client, people, table, book(row(1), row(2)))
    batch = newest(session).id
    client.post(f"/exchange/{batch}/apply")
    version = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id)).first()
    assert version is not None
    bank.edit(session, version, ohm(7), chen, now=clock(), reason="换题干")
    session.commit()
    answer = client.post(f"/exchange/{batch}/revert")
    assert answer.status_code == 409
    assert f"题 {version.item_id} 第 2 版：已修改到第 2 版" in answer.get_data(as_text=True)


def test_batches_of_others_are_not_there(session: Session, people: People, table: WeightTable, chen: Viewer, enter: Enter) -> None:
    stranger = people("外校教师", Role.ITEM_AUTHOR, school=people.school("衡州技师学院（演示）"))
    # He reviews electricians and writes for fitters: the electricians' imports are none of his business.
    fitter = people("吴强", scopes=[Scope(Role.ITEM_AUTHOR, people.home.id, occupation_code="6-20-01-01"),
                                  Scope(Role.ITEM_REVIEWER, people.home.id)])
    reviewer = people("李明", Role.ITEM_REVIEWER)
    session.commit()
    send(enter(chen), people, table, book(row(1)))
    batch = newest(session).id
    for person in (stranger, fitter):
        client = enter(person)
        assert "电工四级.xlsx" not in text_of(client, "/exchange/")
        for address in (f"/exchange/{batch}", f"/exchange/{batch}/errors"):
            assert client.get(address).status_code == 404
        for verb in ("apply", "discard", "revert"):
            assert client.post(f"/exchange/{batch}/{verb}").status_code == 404
        assert send(client, people, table, book(row(2))).status_code == 409
    assert enter(reviewer).get(f"/exchange/{batch}").status_code == 403


def test_the_console_imports_and_counts(
        session: Session, app: Flask, people: People, table: WeightTable, chen: Viewer, tmp_path: Path) -> None:
    session.commit()
    extension = app.extensions["examroom"]
    installation = Installation(tmp_path)
    installation.__dict__.update(settings=extension["settings"], database=extension["database"])
    file = tmp_path / "电工.xlsx"
    file.write_bytes(book(row(1), row(2, **BAD)))
    arguments = ["import", str(file), "--table", str(table.id), "--as", chen.login]
    run = CliRunner().invoke
    assert "1 items can be imported, 1 wrong" in run(exchange_commands.group, [*arguments, "--preview"], obj=installation).output
    done = run(exchange_commands.group, arguments, obj=installation)
    assert "1 items imported, 1 wrong, 0 doubles" in done.output
    assert "题目 第 3 行" in done.output
    again = run(exchange_commands.group, arguments, obj=installation)
    assert again.exit_code == 1
    assert "导入过" in again.output
    assert "1  draft" in run(items_commands.group, ["count"], obj=installation).output
