"""Arithmetic of weight tables against hand sums and published tables."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbank.standards.weights import (
    Counts,
    Node,
    order,
    percent,
    quantity_warnings,
    read_weight,
    share_warnings,
    sum_finding,
    tree_findings,
)

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "data" / "skill_weights.tsv"
# The same columns, for machines where the folder does not lie beside the checkout: one good standard, one flawed.
EXTRACT = """occupation_code	occupation_or_track	edition	职业功能	五级	四级	三级	二级	一级	check
6-20-01-01	钳工	2020	基本作业	35	30	20			sums_100
6-20-01-01	钳工	2020	机械设备装调	35	35	40	40	30	sums_100
6-20-01-01	钳工	2020	机械设备保养与维修	30	35	40	25	30	sums_100
6-20-01-01	钳工	2020	技术指导与革新				35	40	sums_100
3-01-02-02	秘书	2026	培训与指导					10	partial
3-01-02-02	秘书	2026	事务管理		40			35	partial
3-01-02-02	秘书	2026	文书拟写与处理		30			25	partial
"""


@pytest.mark.parametrize(("text", "half_percent"), [
    ("12.5", 25), ("40", 80), ("40.0", 80), ("0.5", 1), ("0", 0), ("100", 200), (" 15 % ", 30), ("7．5", 15),
    ("-", None), ("—", None), ("", None), ("／", None)])
def test_a_weight_is_read_in_half_percent_and_a_dash_means_absent(text: str, half_percent: int | None) -> None:
    assert read_weight(text) == half_percent


@pytest.mark.parametrize(("text", "word"), [("12.3", "0.5"), ("-5", "不是比重"), ("abc", "不是比重"), ("100.5", "大于 100"),
                                            ("0.35", "百分比格式"), ("1e2", "不是比重"), ("9" * 400, "不是比重"),
                                            ("²", "不是比重")])
def test_what_is_no_weight_gets_a_sentence(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_weight(text)


def test_the_column_that_sums_to_110_is_named_with_its_sum_and_terms() -> None:
    finding = sum_finding("三级/高级工 理论知识", [2 * w for w in (40, 5, 10, 10, 15, 5, 10, 10, 5)])
    assert finding is not None
    assert finding.sentence.startswith("三级/高级工 理论知识：各项比重合计 110，应为 100（40+5+10+10+15+5+10+10+5）")


def test_an_absent_function_counts_for_nothing() -> None:
    assert sum_finding("二级", [None, 80, 50, 70]) is None  # 40 + 25 + 35 = 100, 钳工 二级


def test_half_percents_are_exact() -> None:
    assert sum_finding("四级", [25, 25, 150]) is None  # 12.5 + 12.5 + 75
    finding = sum_finding("四级", [25, 24, 150])
    assert finding is not None
    assert "合计 99.5" in finding.sentence


def test_a_parent_weighs_what_its_children_sum_to() -> None:
    # 中式烹调师: 饮食卫生 8 = 2 + 3 + 1 + 1 + 1 (domain.md 5b); here the last child was mistyped as 2
    nodes = [Node(("A",), "饮食卫生", 16), Node(("B",), "其余", 184),
             *(Node(("A", str(n)), f"卫生{n}", weight) for n, weight in enumerate((4, 6, 2, 2, 4)))]
    (finding,) = tree_findings("四级/中级工 理论知识", nodes)
    assert finding.code == "parent_sum"
    assert "比重为 8，下级合计 9（2+3+1+1+2）" in finding.sentence
    assert finding.segments == ("A",)


@pytest.mark.parametrize(("nodes", "code"), [
    ([Node(("A",), "甲", 200), Node(("A",), "乙", 0)], "range_twice"),
    ([Node(("A",), "甲", 200), Node(("B", "A"), "乙", 10)], "no_parent"),
    ([Node(("A-B",), "甲", 200)], "range_code"), ([Node((), "甲", 200)], "range_code"),
    ([Node(("A",), " ", 200)], "range_name"), ([Node(("A",), "甲", 210), Node(("B",), "乙", -10)], "weight_range"),
    ([], "weights_not_100")])
def test_a_malformed_tree_is_described(nodes: list[Node], code: str) -> None:
    assert code in {finding.code for finding in tree_findings("四级", nodes)}


def test_counts_are_shown_as_the_trade_writes_them() -> None:
    counts = Counts.of("X" * 116 + "Y" * 28 + "Z" * 5)
    assert str(counts) == "(116:28:05)"  # 中式烹调师(中级)
    assert counts.shares == {"X": "77.9", "Y": "18.8", "Z": "3.4"}  # 116/149, 28/149, 5/149
    assert str(Counts(35, 7, 2) + Counts()) == "(35:07:02)"
    assert Counts().shares == {"X": "—", "Y": "—", "Z": "—"}


def test_shares_far_from_80_15_5_are_warned_about_and_near_ones_are_not() -> None:
    assert share_warnings(Counts(116, 28, 5)) == []  # 78 / 19 / 3: a published national table
    assert len(share_warnings(Counts(8, 5, 3))) == 1  # 50 / 31 / 19: another one
    assert share_warnings(Counts()) == []


def test_few_points_are_warned_about() -> None:
    # 2 points per 1 %: weight 5 asks for 10, weight 12.5 asks for 25
    few = quantity_warnings([("甲", 10, 9), ("乙", 25, 25)])
    assert "34 个鉴定点" in few[0]
    assert "甲 9 个（宜 10 个以上）" in few[1]
    assert "乙" not in few[1]
    assert quantity_warnings([("甲", 200, 200)]) == []


def test_numbers_sort_by_value_and_letters_by_the_alphabet() -> None:
    paths = [("B",), ("A", "10"), ("A", "2"), ("A",)]
    assert sorted(paths, key=order) == [("A",), ("A", "2"), ("A", "10"), ("B",)]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12))
def test_a_column_is_refused_exactly_when_it_does_not_sum_to_100(weights: list[int]) -> None:
    assert (sum_finding("列", list(weights)) is None) == (sum(weights) == 200)
    assert all(read_weight(percent(weight)) == weight for weight in weights)


def test_the_checker_sorts_good_from_bad_in_published_tables(capsys: pytest.CaptureFixture[str]) -> None:
    text = PUBLISHED.read_text(encoding="utf-8") if PUBLISHED.exists() else EXTRACT
    columns: dict[tuple[str, ...], list[int]] = defaultdict(list)
    checked: dict[tuple[str, ...], str] = {}
    unreadable = 0
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        key = (row["occupation_code"], row["occupation_or_track"], row["edition"])
        checked[key] = row["check"]
        for level in ("五级", "四级", "三级", "二级", "一级"):
            try:
                weight = read_weight(row[level])
            except ValueError:
                unreadable += 1
                columns[*key, level].append(0)
                continue
            if weight is not None:
                columns[*key, level].append(weight)
    bad = {column: finding for column, weights in columns.items() if (finding := sum_finding(" ".join(column), weights))}
    with capsys.disabled():
        tables = {column[:3] for column in columns}
        wrong = {column[:3] for column in bad}
        print(f"\n{len(checked)} standards: {len(tables - wrong)} good, {len(wrong)} with a bad column "
              f"({len(bad)} of {len(columns)} columns), {unreadable} unreadable cells")
    for column, finding in bad.items():
        assert finding.sentence.startswith(" ".join(column) + "：各项比重合计 ")
        assert checked[column[:3]] != "sums_100", finding.sentence
    assert columns.keys() - bad.keys()
    assert bad
