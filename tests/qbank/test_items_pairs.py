"""Near-duplicates and enemies: what is found, what people decide, and what assembly makes of it."""

from __future__ import annotations

import random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz
from sqlalchemy.orm import Session

from qbank.items import pairs, similarity
from qbank.items.bank import add_item, edit, retire
from qbank.items.models import Item, Likeness
from qbank.items.similarity import Index, Match, comparable, contrasts, pairs_within, side_by_side, similar
from qbank.items.states import PairKind
from qbank.items.words import compared, terms_of, words_of
from qbank.kernel.access import Role
from qbank.kernel.refused import Refused
from tests.conftest import People, TestClock
from tests.qbank.bank_world import ohm, theory_table

WORDS = "电机线路电压电流电阻绝缘接地保护继电器接触器变压器开关额定功率安全操作测量检修调试".strip()


def chinese(count: int, seed: int = 1) -> list[str]:
    """Invented stems of which about every tenth is a near-duplicate of an earlier one."""
    drawn = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        if made and drawn.random() < 0.1:
            letters = list(drawn.choice(made))
            for _ in range(drawn.randint(1, 5)):
                letters[drawn.randrange(len(letters))] = drawn.choice(WORDS)
            made.append("".join(letters))
        else:
            made.append("".join(drawn.choice(WORDS) for _ in range(drawn.randint(3, 50))))
    return made


def test_spaces_and_punctuation_do_not_count_but_numbers_signs_and_units_do() -> None:
    assert comparable("电阻 R1＝2 kΩ，（　）。") == comparable("电阻R1=2kΩ（）")
    assert comparable("1.5 A") != comparable("15 A")
    assert comparable("－220 V") != comparable("220 V")
    assert comparable("5 mΩ") != comparable("5 MΩ")


def test_numbers_that_differ_are_named() -> None:
    assert contrasts("额定电压为 220 V 的灯", "额定电压为 380 V 的灯") == ["两题只有数值不同：220V ↔ 380V。"]
    assert contrasts("导线截面积 2.5 mm² 的铜线", "导线截面积 4 mm² 的铝线") == ["两题数值不同：2.5mm² ↔ 4mm²。"]


def test_a_negation_that_differs_is_named() -> None:
    assert contrasts("下列叙述正确的是（　）", "下列叙述错误的是（　）") == ["两题只有肯定与否定不同：正确 ↔ 错误。"]
    assert contrasts("电工应持证上岗", "电工不应持证上岗") == ["两题肯定与否定不同：无 ↔ 不应。"]
    assert contrasts("三相不同的绕组", "三相的绕组") == []  # 不同 is no negation


def test_opposites_that_change_places_are_named_and_equal_texts_are_told() -> None:
    assert contrasts("串联时总电阻增大", "并联时总电阻减小") == ["两题用了相反的词：增大、减小。", "两题用了相反的词：串联、并联。"]
    assert contrasts("电压是什么？", "电压 是什么") == ["文字相同（只有标点、空格或全半角不同）。"]


def test_two_texts_lie_side_by_side() -> None:
    left, right = side_by_side("电压为220V时正确的是", "电压为380V时错误的是")
    assert "".join(piece.text for piece in left) == "电压为220V时正确的是"
    assert [piece.text for piece in right if not piece.same] == ["38", "错误"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("电压流阻线不一二三1２ 。", max_size=14), max_size=25), st.sampled_from([0.7, 0.8, 0.9]), st.sampled_from([0, 6, 10**9]))
def test_the_matrix_of_bigrams_loses_no_pair(texts: list[str], threshold: float, worth: int) -> None:
    """Against scoring every pair, also for empty texts and texts of one character."""
    plain = [comparable(text) for text in texts]
    bank = Index(texts)
    wanted = {(i, j) for i in range(len(plain)) for j in range(i + 1, len(plain))
              if fuzz.ratio(plain[i], plain[j]) >= 100 * threshold and (plain[i] or plain[j])}
    with mock.patch.object(similarity, "WORTH", worth):
        found = pairs_within(bank, 0, len(bank), threshold)
    assert {(i, j) for i, j, _ in found if plain[i] or plain[j]} == wanted


def test_a_large_bank_gives_what_scoring_every_pair_gives() -> None:
    bank, batch = chinese(4000), chinese(900, seed=2) + chinese(100)
    index = Index(bank, keys=[10 * place for place in range(len(bank))])
    found = similar(batch, index)
    by_hand = {(i, 10 * j) for i in (*range(5), *range(900, 940)) for j, text in enumerate(bank)
               if fuzz.ratio(comparable(batch[i]), comparable(text)) >= 80}
    assert {(match.i, match.key) for match in found if match.i in {*range(5), *range(900, 940)}} == by_hand
    assert Match(900, 0, 1.0) in found
    assert found == sorted(found, key=lambda match: (match.i, -match.score, match.key))


def test_a_short_stem_is_told_by_its_options() -> None:
    assert compared("下列说法正确的是", ["乙", "甲"]) == "下列说法正确的是乙 甲"
    assert compared("电路中电阻与电压电流之间的关系是", ["乙", "甲"]) == "电路中电阻与电压电流之间的关系是"
    assert "ω=2" in words_of("角速度 $Ω=2$", ["甲"])
    assert terms_of("　电压  ＡＢ ") == ["电压", "ab"]


def test_the_bank_shows_what_reads_alike_and_forgets_what_was_decided(session: Session, people: People,
                                                                     clock: TestClock) -> None:
    table, home = theory_table(session), people.home.id
    author = people("陈晓", Role.ITEM_AUTHOR)
    long = "某车间的三相异步电动机额定电压为 380 V，启动时应当采用的方法是（　）。"
    first = add_item(session, table, home, ohm(stem=long), author, now=clock())
    second = add_item(session, table, home, ohm(stem=long.replace("380", "220")), author, now=clock())
    found = pairs.alike_rows(session, table, home, [long, "完全不同的另一道题目，问的是别的事情"])
    assert [one["item"] for one in found[0]] == [first.item_id, second.item_id]
    assert found[0][1]["contrasts"] == ["两题只有数值不同：380V ↔ 220V。"]
    assert found[1] == []
    pairs.mark(session, second.item, first.item, PairKind.DISTINCT, "电压等级不同", author, now=clock())
    assert pairs.alike(session, table, home, [long], own=first.item_id) == [[]]
    retire(session, second, author, "重复", now=clock())
    session.flush()
    assert [one["item"] for one in pairs.alike_rows(session, table, home, [long])[0]] == [first.item_id]


def test_the_search_follows_an_edit(session: Session, people: People, clock: TestClock) -> None:
    table, author = theory_table(session), people("陈晓", Role.ITEM_AUTHOR)
    made = add_item(session, table, people.home.id, ohm(stem="接触器线圈断电后触点不能复位的原因可能是（　）。"), author, now=clock())
    asked = ["变压器空载运行时铁损与铜损相比较的结论是（　）。"]
    assert pairs.alike_rows(session, table, people.home.id, asked) == [[]]
    edit(session, made, ohm(stem=asked[0]), author, now=clock(), reason="换题")
    assert pairs.alike_rows(session, table, people.home.id, asked)[0][0]["score"] == 1.0


def test_only_people_of_the_bank_decide_and_only_inside_one_bank(session: Session, people: People, clock: TestClock) -> None:
    table, author = theory_table(session), people("陈晓", Role.ITEM_AUTHOR)
    one, two = (add_item(session, table, people.home.id, ohm(n), author, now=clock()).item for n in (1, 2))
    stranger = people("外人", Role.ITEM_AUTHOR, school=people.school("另一所学校"))
    with pytest.raises(Refused, match="不是这个题库"):
        pairs.mark(session, one, two, PairKind.ENEMY, "", stranger, now=clock())
    with pytest.raises(Refused, match="两道不同"):
        pairs.mark(session, one, one, PairKind.ENEMY, "", author, now=clock())
    elsewhere = add_item(session, theory_table(session, "6-20-01-01", "钳工"), people.home.id, ohm(), author, now=clock()).item
    with pytest.raises(Refused, match="不在同一个题库"):
        pairs.mark(session, one, elsewhere, PairKind.ENEMY, "", author, now=clock())


def test_a_pair_is_one_row_whichever_way_it_is_named(session: Session, people: People, clock: TestClock) -> None:
    table, author = theory_table(session), people("陈晓", Role.ITEM_AUTHOR)
    one, two = (add_item(session, table, people.home.id, ohm(n), author, now=clock()).item for n in (1, 2))
    session.add(Likeness(first_id=one.id, second_id=two.id, score=0.9, found_at=clock()))
    session.flush()
    made = pairs.mark(session, two, one, PairKind.ENEMY, "一题提示另一题", author, now=clock())
    again = pairs.mark(session, one, two, PairKind.SIMILAR, "其实只是相近", author, now=clock())
    assert (made.id, again.first_id, again.second_id, again.kind) == (again.id, one.id, two.id, PairKind.SIMILAR)
    assert session.query(Likeness).count() == 0
    assert pairs.apart(session, table.id, people.home.id) == [(one.id, two.id)]
    assert pairs.decisions(session, two.id) == {one.id: PairKind.SIMILAR}
    pairs.unmark(session, again, author, now=clock())
    assert pairs.apart(session, table.id, people.home.id) == []
    assert session.get(Item, one.id) is not None
