"""Another program's response file becomes a workbook of parameters, from the shell, without a database."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner, Result

from app import GROUPS, create_app
from qbank.kernel.console import console
from qbank.kernel.refused import Refused
from qbank.statistics.irt import calibrate
from qbank.statistics.response_files import read_responses
from qbank.statistics.responses import NOT_PRESENTED, OMITTED


def drawn(persons: int = 400, items: int = 12) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    draw = np.random.default_rng(8)
    b = np.linspace(-1.5, 1.5, items)
    return (draw.random((persons, items)) < 1 / (1 + np.exp(-1.2 * (draw.normal(size=(persons, 1)) - b)))).astype(np.int8)


def lines(table: np.ndarray[tuple[int, int], np.dtype[np.int8]]) -> str:
    return "\n".join(["编号," + ",".join(f"题{j + 1}" for j in range(table.shape[1])),
                      *(f"K{i}," + ",".join(map(str, row)) for i, row in enumerate(table))])


def calibrated(folder: Path, text: bytes, *options: str) -> Result:
    (folder / "作答.csv").write_bytes(text)
    return CliRunner().invoke(console(create_app, GROUPS), ["stats", "calibrate", str(folder / "作答.csv"), "--out",
                                                            str(folder / "标定.xlsx"), *options])


def test_a_table_of_right_and_wrong_becomes_a_workbook(tmp_path: Path) -> None:
    table = drawn()
    answer = calibrated(tmp_path, lines(table).encode("gb18030"))
    assert answer.exit_code == 0, answer.output
    assert "400 persons, 12 items, 2PL" in answer.output
    book = openpyxl.load_workbook(tmp_path / "标定.xlsx")
    assert book.sheetnames == ["概要", "项目参数", "经典统计", "拟合", "考生能力"]
    rows = [row for row in book["项目参数"].values if row[0] == "题1"]
    wanted = calibrate(table)
    assert rows[0][3:7] == pytest.approx((wanted.a[0], wanted.se_a[0], wanted.b[0], wanted.se_b[0]), abs=1e-6)
    assert book["经典统计"].max_row == 13
    assert book["考生能力"].max_row == 401


def test_raw_answers_are_scored_by_the_key_row() -> None:
    found = read_responses("id\tQ1\tQ2\tQ3\n答案\tA\tc\tB\n张三\tA\tC\tb\n李四\tB\t\tB\n".encode(), "a.tsv")
    assert found.key == ("A", "C", "B")
    assert found.persons == ("张三", "李四")
    assert found.responses.scores.tolist() == [[1, 1, 1], [0, OMITTED, 1]]
    assert found.responses.items == ("Q1", "Q2", "Q3")
    again = read_responses(b"id,Q1,Q2\nkey,A,B\nx,A,\n", "a.csv", blank="not-presented")
    assert again.responses.scores.tolist() == [[1, NOT_PRESENTED]]


def test_a_blank_among_zeros_and_ones_was_not_presented_unless_told() -> None:
    text = b"Q1,Q2\n1,\n0,1\n"
    assert read_responses(text, "a.csv").responses.scores.tolist() == [[1, NOT_PRESENTED], [0, 1]]
    assert read_responses(text, "a.csv", blank="omitted").responses.scores.tolist() == [[1, OMITTED], [0, 1]]
    assert read_responses(text, "a.csv").persons == ("1", "2")


def test_a_workbook_is_read_like_a_text_file() -> None:
    book, stream = openpyxl.Workbook(), BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (["考号", "Q1", "Q2"], ["001", 1, 0], ["002", 0, None]):
        sheet.append(row)
    book.save(stream)
    found = read_responses(stream.getvalue(), "a.xlsx")
    assert found.persons == ("001", "002")
    assert found.responses.scores.tolist() == [[1, 0], [0, NOT_PRESENTED]]


@pytest.mark.parametrize(("text", "words"), [
    (b"", "空的"), (b"Q1,Q2\n", "空的"), (b"Q1\n1\n", "没有作答数据"), (b"Q1,Q1\n1,0\n", "不止一次"),
    (b"id,Q1,Q2\nx,1,7\n", "考生“x”的“Q2”是“7”"), (b"id,Q1,Q2\nkey,A,\nx,A,B\n", "没有这些题的答案：Q2"),
    (b"Q1,Q2\n1,0\n1,0,1,1\n", "列数不一致"), (b"\xff\xfe\x00\x81", "编码"), (b"PK\x03\x04garbage", "打不开"),
])
def test_what_cannot_be_read_is_named(text: bytes, words: str) -> None:
    with pytest.raises(Refused) as caught:
        read_responses(text, "a.csv")
    assert words in caught.value.sentence


def test_bad_files_end_with_a_sentence_and_no_workbook(tmp_path: Path) -> None:
    answer = calibrated(tmp_path, b"id,Q1,Q2\nx,1,7\n")
    assert answer.exit_code != 0
    assert isinstance(answer.exception, Refused)  # which the console script prints as a sentence
    assert "应为 0、1 或空白" in answer.exception.sentence
    assert not (tmp_path / "标定.xlsx").exists()
