"""Forms over seats: neighbours differ, counts are equal, the seed repeats it; pure, so checked by properties."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examroom.delivery.spread import ALL_ROUND, Place, clashes, neighbours, spread

SEATS = st.integers(1, 60)


@settings(max_examples=150, deadline=None)
@given(seats=SEATS, columns=st.one_of(st.none(), st.integers(1, 9)), forms=st.integers(2, 6), seed=st.text(max_size=4),
       absent=st.sets(st.integers(1, 60), max_size=20))
def test_neighbours_never_have_the_same_form_from_two_forms_on(seats: int, columns: int | None, forms: int, seed: str,
                                                             absent: set[int]) -> None:
    places = [Place(7, number) for number in range(1, seats + 1) if number not in absent]
    dealt = spread(places, {7: columns}, forms, seed)
    assert set(dealt) == set(places)
    assert set(dealt.values()) <= set(range(forms))
    assert clashes(dealt, neighbours(places, {7: columns}, diagonal=forms >= ALL_ROUND)) == []
    assert dealt == spread(list(reversed(places)), {7: columns}, forms, seed)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 8), columns=st.integers(1, 8), seed=st.text(max_size=3))
def test_a_full_room_uses_two_forms_equally(rows: int, columns: int, seed: str) -> None:
    places = [Place(1, number) for number in range(1, rows * columns + 1)]
    counts = Counter(spread(places, {1: columns}, 2, seed).values())
    assert abs(counts[0] - counts[1]) <= 1


@pytest.mark.parametrize("forms", [3, 4, 5])
def test_a_full_room_of_thirty_uses_more_forms_nearly_equally(forms: int) -> None:
    places = [Place(1, number) for number in range(1, 31)]  # 5 rows of 6
    counts = Counter(spread(places, {1: 6}, forms, "x").values())
    assert max(counts.values()) - min(counts[form] for form in range(forms)) <= 3


def test_two_rooms_are_balanced_together() -> None:
    places = [Place(room, number) for room in (1, 2) for number in range(1, 10)]  # 3 × 3 twice: a chessboard has 5 and 4
    for seed in "abcdef":
        counts = Counter(spread(places, {1: 3, 2: 3}, 2, seed).values())
        assert sorted(counts.values()) == [9, 9]


def test_a_form_for_everybody_is_used_once() -> None:
    places = [Place(1, number) for number in range(1, 13)]
    assert len(set(spread(places, {1: 4}, 40, "x").values())) == 12


def test_one_form_goes_to_all_and_none_is_a_mistake() -> None:
    places = [Place(1, 1), Place(1, 2)]
    assert spread(places, {}, 1, "x") == dict.fromkeys(places, 0)
    with pytest.raises(ValueError, match="no form"):
        spread(places, {}, 0, "x")


def test_by_hand_a_row_of_three_seats() -> None:
    places = [Place(1, number) for number in (1, 2, 3, 4)]
    near = neighbours(places, {1: 3}, diagonal=True)  # 1 2 3 above 4
    assert near[Place(1, 4)] == {Place(1, 1), Place(1, 2)}
    assert near[Place(1, 2)] == {Place(1, 1), Place(1, 3), Place(1, 4)}
    assert neighbours(places, {}, diagonal=False)[Place(1, 4)] == {Place(1, 3)}
