"""The shuffle is a permutation, repeatable, and undone exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examroom.delivery.shuffle import Shape, check, deal, sheet_seed, to_canonical, to_shown


@st.composite
def papers(draw: st.DrawFn) -> list[Shape]:
    kinds = draw(st.lists(st.sampled_from(["single", "multiple", "judge"]), min_size=1, max_size=30))
    found = []
    for number, kind in enumerate(sorted(kinds), 1):
        if kind == "judge":
            found.append(Shape(number, 2, kind, "TF"))
            continue
        options = "ABCDEFGHIJ"[:draw(st.integers(2, 10))]
        last = draw(st.sampled_from(["", options[-1], options[-2:]]))
        found.append(Shape(number, 0 if kind == "multiple" else 1, kind, options, last))
    return found


@given(papers(), st.text(max_size=20))
def test_a_layout_shows_everything_once_and_keeps_what_stays_last(shapes: list[Shape], seed: str) -> None:
    layout = deal(shapes, seed)
    check(layout, shapes)
    assert layout == deal(list(reversed(shapes)), seed)  # the seed alone decides
    by_number = {shape.number: shape for shape in shapes}
    for entry in layout:
        assert entry["options"].endswith(by_number[entry["number"]].last)
        assert entry["kind"] != "judge" or entry["options"] == "TF"


@given(papers(), st.text(max_size=20), st.data())
def test_what_is_shown_and_what_is_stored_are_the_same_answer(shapes: list[Shape], seed: str, data: st.DataObject) -> None:
    layout = deal(shapes, seed)
    shown_number = data.draw(st.integers(1, len(layout)))
    entry = layout[shown_number - 1]
    size = len(entry["options"]) if entry["kind"] == "multiple" else 1
    answer = "".join(sorted(data.draw(st.sets(st.sampled_from(entry["options"]), max_size=size))))
    number, back = to_canonical(layout, shown_number, to_shown(entry, answer))
    assert (number, back) == (entry["number"], answer)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.text(max_size=20))
def test_items_of_one_material_stay_together_in_their_order(materials: list[int], seed: str) -> None:
    shapes = [Shape(number, number % 2, "single", "ABCD", material=material) for number, material in enumerate(materials, 1)]
    layout = deal(shapes, seed)
    check(layout, shapes)
    shown = [shapes[entry["number"] - 1] for entry in layout]
    for part, material in {(shape.part, shape.material) for shape in shapes if shape.material}:
        places = [place for place, shape in enumerate(shown) if (shape.part, shape.material) == (part, material)]
        assert places == list(range(places[0], places[0] + len(places)))
        assert [shown[place].number for place in places] == sorted(shown[place].number for place in places)
    alone = deal([Shape(shape.number, shape.part, shape.kind, shape.options) for shape in shapes], seed)
    assert [entry["number"] for entry in alone if not materials[entry["number"] - 1]] == [
        entry["number"] for entry in layout if not materials[entry["number"] - 1]]  # old seeds deal what they dealt


LAYOUT = [{"number": 5, "kind": "single", "options": "CABD"}, {"number": 2, "kind": "multiple", "options": "BDAC"},
          {"number": 9, "kind": "judge", "options": "TF"}]


def test_letters_by_hand() -> None:
    assert to_canonical(LAYOUT, 1, "A") == (5, "C")  # the first option shown is the canonical C
    assert to_canonical(LAYOUT, 2, "CA") == (2, "AB")  # third shown = A, first shown = B
    assert to_canonical(LAYOUT, 3, "B") == (9, "F")
    assert to_canonical(LAYOUT, 1, "") == (5, "")
    assert to_shown(LAYOUT[1], "AB") == "AC"


@pytest.mark.parametrize(("number", "letters"), [(0, "A"), (4, "A"), (1, "E"), (1, "AB"), (2, "AA"), (3, "C"), (1, "a"),
                                                 (1, "1"), (3, "T"), (2, "ABCDE")])
def test_what_is_not_on_the_sheet_is_no_answer(number: int, letters: str) -> None:
    with pytest.raises(ValueError, match=r"no such number|not options|too many"):
        to_canonical(LAYOUT, number, letters)


def test_two_candidates_see_different_orders_and_one_always_the_same() -> None:
    shapes = [Shape(number, 0, "single", "ABCD") for number in range(1, 41)]
    chen, liu = (deal(shapes, sheet_seed("seed", ticket)) for ticket in ("0001", "0002"))
    assert chen != liu
    assert chen == deal(shapes, sheet_seed("seed", "0001"))


def test_a_broken_layout_is_found() -> None:
    shapes = [Shape(1, 0, "single", "ABCD", "D"), Shape(2, 1, "judge", "TF")]
    good = deal(shapes, "x")
    for bad in (good[:1], [good[0], good[0]], good[::-1], [good[0] | {"options": "ABC"}, good[1]],
                [good[0] | {"options": "DABC"}, good[1]]):
        with pytest.raises(ValueError, match=r"exactly once|mixes parts|stay last"):
            check(bad, shapes)


def test_every_option_comes_first_about_equally_often() -> None:
    # 4 options, 400 items: each should lead about 100 times; 5 standard deviations = 5 * sqrt(400 * 1/4 * 3/4) = 43
    leads = [entry["options"][0] for entry in deal([Shape(n, 0, "single", "ABCD") for n in range(400)], "fair")]
    assert all(57 <= leads.count(letter) <= 143 for letter in "ABCD")
