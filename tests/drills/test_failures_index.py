"""Failures seen in other exam systems, row by row, and the tests that show that this one does not have them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NETWORK, TIME, SITTING = (f"tests/browser/test_sitting{name}.py" for name in ("_network", "_time", ""))
ACCESS, DOORS, SHEETS = "tests/browser/test_sitting_access.py", "tests/examroom/test_delivery_doors.py", "tests/examroom/test_delivery_sheets.py"
SAVING, ROOM, LEAKS = ("tests/examroom/test_" + name for name in ("delivery_saving.py", "invigilation.py", "leaks.py"))
CRASH, FAULTS, DRILLED_NETWORK, POWER, STANDBY, STORMS = (
    f"tests/drills/test_{name}.py" for name in ("crash", "faults", "network", "power", "standby", "storms"))

ROWS: dict[int, tuple[str, list[str]]] = {
    1: ("the question open at time-out was never sent", [
        f"{TIME}::test_the_answer_of_the_last_second_is_kept_and_the_page_closes_itself",
        f"{DOORS}::test_an_answer_one_second_before_the_end_is_kept_and_one_after_the_grace_is_not"]),
    2: ("all answers lived in the page until one final POST", [
        f"{NETWORK}::test_a_killed_browser_loses_at_most_the_last_click_and_unsent_answers_are_offered",
        f"{CRASH}::test_fifty_candidates_lose_no_acknowledged_answer_to_five_kills",
        f"{POWER}::test_two_power_cuts_lose_no_acknowledged_answer",
        f"{STANDBY}::test_the_second_machine_takes_over_within_a_minute_with_every_acknowledged_answer"]),
    3: ("a cached page showed an empty attempt and overwrote the real one", [
        f"{NETWORK}::test_a_cached_page_does_not_bring_back_an_empty_sheet",
        f"{SHEETS}::test_an_older_revision_never_overwrites_a_newer_one",
        f"{DRILLED_NETWORK}::test_an_old_request_that_arrives_late_changes_nothing"]),
    4: ("answers from two devices were merged or added up", [
        f"{NETWORK}::test_another_computer_waits_and_the_first_turns_read_only",
        f"{NETWORK}::test_back_on_the_first_computer_its_unsent_answers_are_offered_against_the_newer_ones",
        f"{SAVING}::test_a_takeover_and_a_save_at_the_same_moment_leave_one_writer"]),
    5: ("an offline error page with no way back", [
        f"{NETWORK}::test_a_cut_network_is_a_calm_line_and_nothing_is_lost_or_navigated",
        f"{NETWORK}::test_a_room_without_its_server_goes_on_to_the_end_and_offers_an_answer_file",
        f"{DRILLED_NETWORK}::test_a_bad_network_loses_doubles_and_changes_nothing",
        f"{FAULTS}::test_a_database_that_restarts_in_mid_sitting_loses_nothing"]),
    6: ("moving the PC's clock showed the paper early or bought time", [
        f"{TIME}::test_a_wrong_clock_on_the_computer_buys_no_time_and_is_told_to_the_invigilator",
        f"{FAULTS}::test_a_servers_clock_that_jumps_neither_ends_the_exam_nor_gives_time_away"]),
    7: ("a background tab slowed the countdown", [f"{TIME}::test_ten_hidden_minutes_leave_the_countdown_at_most_a_second_off"]),
    8: ("a refresh reset the countdown", [f"{TIME}::test_a_reload_resets_no_countdown"]),
    9: ("a slow device clock said closed", [f"{TIME}::test_a_wrong_clock_on_the_computer_buys_no_time_and_is_told_to_the_invigilator"]),
    10: ("the start time was edited while candidates waited", [
        f"{TIME}::test_the_waiting_page_follows_a_changed_start_and_shows_nothing_early",
        f"{DOORS}::test_the_waiting_page_follows_a_moved_start_and_opens_nothing_early"]),
    11: ("drawing papers at the click of Start took 15 minutes, made duplicates, or gave fewer questions", [
        f"{SHEETS}::test_everybody_gets_one_complete_sheet_and_the_seed_repeats_it",
        f"{SHEETS}::test_a_second_sheet_of_one_enrolment_cannot_exist",
        f"{SHEETS}::test_two_starts_at_the_same_instant_start_one_sheet_once",
        f"{STORMS}::test_a_room_signs_in_with_its_codes_and_starts_in_the_same_instant"]),
    12: ("some candidates got fewer questions than configured", [
        f"{SHEETS}::test_a_paper_with_too_few_items_is_not_dealt",
        f"{STORMS}::test_a_room_signs_in_with_its_codes_and_starts_in_the_same_instant"]),
    13: ("extra time was not pushed, overwrote an earlier grant, or did not add", [
        f"{TIME}::test_granted_time_shows_within_five_seconds_and_adds_up",
        f"{ROOM}::test_time_for_one_for_some_and_for_all_adds_up"]),
    14: ("the closing time ignored extra time", [
        f"{SHEETS}::test_grants_add_up_and_move_the_deadline",
        f"{ROOM}::test_a_pause_stops_the_clock_and_gives_its_seconds_back"]),
    15: ("hand-in, time-out, forced hand-in and crash ended differently", [
        f"{SHEETS}::test_hand_in_deadline_force_and_crash_keep_the_same_answers",
        f"{ROOM}::test_hand_in_time_out_force_and_crash_keep_the_same_answers"]),
    22: ("a screen reader read the clock every second", [f"{TIME}::test_time_is_announced_politely_and_seldom"]),
    23: ("options could not be reached by keyboard", [
        f"{SITTING}::test_a_whole_sitting_by_keyboard_alone_with_every_kind_of_question",
        f"{ACCESS}::test_nothing_a_candidate_sees_violates_a_rule_of_axe"]),
    24: ("no warning about unanswered questions", [f"{SITTING}::test_a_whole_sitting_by_keyboard_alone_with_every_kind_of_question"]),
    25: ("an early shift could open the paper or its answers while a later shift waited", [
        f"{LEAKS}::test_scores_keys_and_statistics_stay_shut_until_the_familys_last_sitting_ends"]),
}


@cache
def functions_of(file: str) -> set[str]:
    """The names of the test functions of a file."""
    path = ROOT / file
    if not path.exists():
        return set()
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
            and node.name.startswith("test_") and len(node.body) > 0}


def test_every_row_that_concerns_the_exam_has_its_tests() -> None:
    assert set(ROWS) == {*range(1, 16), *range(22, 26)}
    assert all(named for _, named in ROWS.values())


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_exist(row: int) -> None:
    failure, named = ROWS[row]
    missing = [name for name in named if name.partition("::")[2] not in functions_of(name.partition("::")[0])]
    assert missing == [], f"row {row} ({failure}) is not shown any more"
