"""From a weight table to sealed papers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import retire
from qbank.items.models import ItemVersion
from qbank.items.states import ItemKind, ItemState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from qbank.papers.contents import content_of, items_of, policy_of
from qbank.papers.desk import assemble, choose, discard, keep, seal, specify, verify
from qbank.papers.fingerprint import canonical, fingerprint
from qbank.papers.models import Paper, PaperItem, PaperState, Specification
from qbank.papers.specification import FORMS, Part
from qbank.standards.models import StoredRulePack
from qbank.standards.tables import leaves
from tests.conftest import People, TestClock
from tests.paper_world import open_paper
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))  # twenty items of five points: quick to solve


def specified(session: Session, bank: Bank, composer: Viewer, parts: Sequence[Part] = SMALL) -> Specification:
    return specify(session, bank.table, bank.school, "电工四级理论", parts, composer, minutes=90, now=bank.session.info["clock"]())


def one_paper(session: Session, bank: Bank, composer: Viewer, clock: TestClock, parts: Sequence[Part] = SMALL,
              seed: int = 1) -> Paper:
    return assemble(session, specified(session, bank, composer, parts), composer, now=clock(), seed=seed)[0]


def refusal(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value


@pytest.mark.parametrize(("parts", "numbers"), [
    (FORMS["80×1+20×1"], (80, 20)),
    (FORMS["160×0.5+40×0.5"], (160, 40)),
    ((Part("single", 60, 2), Part("multiple", 10, 4), Part("judge", 20, 2)), (60, 10, 20)),  # 60 + 20 + 20 points
])
def test_the_usual_forms_and_a_free_one_are_made_from_a_bank_of_430_items_and_meet_every_weight(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock, parts: Sequence[Part], numbers: Any) -> None:
    paper = one_paper(session, bank, composer, clock, parts)
    items = items_of(paper)
    assert [item.number for item in items] == list(range(1, sum(numbers) + 1))
    assert tuple(Counter(item.position for item in items)[p] for p in range(len(numbers))) == numbers
    assert sum(item.half_points for item in items) == 200
    assert all(line["actual"] == line["target"] for line in paper.compliance["ranges"])
    assert sum(line["target"] for line in paper.compliance["ranges"]) == 200
    assert paper.compliance["bank_size"] == 430
    seal(session, paper, composer, now=clock())
    assert verify(paper)


def test_items_stand_in_the_order_of_the_printed_table_within_each_part(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    order = [leaf.path for leaf in leaves(bank.table)]
    places = [(item.position, order.index(item.version.point.range.path))
              for item in items_of(one_paper(session, bank, composer, clock, FORMS["80×1+20×1"]))]
    assert all(one <= other for one, other in pairwise(places))


def test_the_compliance_sheet_tells_what_was_asked_and_got_and_how_to_make_the_paper_again(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    sheet = one_paper(session, bank, composer, clock, FORMS["80×1+20×1"], seed=77).compliance
    assert [line["path"] for line in sheet["ranges"]][:2] == ["A-A-A", "A-A-B"]
    assert sheet["ranges"][5]["items"] == [16, 4]  # B-B-B weighs 20 %: 20 items, four fifths of them choices
    assert [(line["kind"], line["target"], line["actual"]) for line in sheet["kinds"]] == [
        ("single", 80, 80), ("judge", 20, 20)]
    assert sum(sheet["importance"].values()) == 100
    # Of WEIGHTS points 7 + 4 + 1 ... each range has one Z per whole 20 and one Y at 10, 30: 10:1Y 20:1Y1Z 14:1Y 26:1Y1Z
    # 30:2Y1Z 40:2Y2Z 36:2Y1Z 24:1Y1Z = 11 Y, 7 Z of 200.
    assert sheet["importance_of_table"] == {"X": 182, "Y": 11, "Z": 7}
    assert [line["target"] for line in sheet["difficulty"]] == [10, 25, 40, 20, 5]
    assert sum(line["actual"] for line in sheet["difficulty"]) == 100
    assert sheet["mean_difficulty_target"] == 2.85
    assert sum(sheet["keys"]["single"].values()) == 80
    assert "seed" not in sheet  # it would make the paper again: it is sealed with it
    assert sheet["overlap_sealed"] == []


def test_the_same_seed_and_bank_give_the_same_paper_again(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    specification = specified(session, bank, composer, FORMS["80×1+20×1"])
    one, = assemble(session, specification, composer, now=clock(), seed=5)
    again, = assemble(session, specification, composer, now=clock(), seed=5)
    assert [item.version_id for item in one.items] == [item.version_id for item in again.items]
    assert one.compliance["bank_digest"] == again.compliance["bank_digest"]
    assert one.name != again.name


def test_three_forms_from_a_bank_that_is_large_enough_share_nothing(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    papers = assemble(session, specified(session, bank, composer), composer, now=clock(), seed=3, forms=3)
    assert [paper.form for paper in papers] == ["A", "B", "C"]
    assert papers[0].compliance["overlap_forms"] == [{"form": "B", "shared": 0}, {"form": "C", "shared": 0}]
    assert len({item.version_id for paper in papers for item in paper.items}) == 60


def test_a_later_paper_says_what_it_shares_with_earlier_sealed_ones_and_prefers_unused_items(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    first = one_paper(session, bank, composer, clock, FORMS["160×0.5+40×0.5"])
    held = {item.version_id for item in first.items}
    seal(session, first, composer, now=clock())
    # The long form takes 160 of the 300 choices and 40 of the 90 true/false items; the short one needs half as many.
    second = one_paper(session, bank, composer, clock, FORMS["80×1+20×1"], seed=2)
    shared = len(held & {i.version_id for i in second.items})
    assert second.compliance["overlap_sealed"] == [{"id": first.id, "name": first.name, "shared": shared}]
    assert shared < 100 * 200 / 390  # what chance would give
    assert second.compliance["max_exposure"] == 1
    third, = assemble(session, first.specification, composer, now=clock(), seed=3)  # a used specification serves again
    assert third.compliance["overlap_sealed"][0]["id"] == first.id


def test_a_bank_that_is_too_small_is_refused_with_every_range_and_how_many_it_lacks(
        session: Session, new_bank: Callable[..., Bank], composer: Viewer, clock: TestClock) -> None:
    bank = new_bank(singles={"A-A-A": 3}, judges={}, multiples={})
    specification = specified(session, bank, composer, FORMS["80×1+20×1"])
    assert specification.within_bank is False
    found = refusal(lambda: assemble(session, specification, composer, now=clock(), seed=1))
    assert found.code == "unmakeable"
    assert len(found.details) == 16  # eight ranges, two kinds, no range has enough
    assert "范围 A-A-A 单选题缺 1 题：1 套共需 4 题，可用 3 题；补写 1 题" in found.details
    assert "共 16 处冲突" in found.sentence
    assert session.scalars(sa.select(Paper)).all() == []


def test_what_the_composer_wrote_is_not_used_and_a_shortage_says_so(
        session: Session, bank: Bank, people: People, clock: TestClock) -> None:
    both = people("钱全能", Role.PAPER_COMPOSER, Role.ITEM_AUTHOR)
    leaf = leaves(bank.table)[0]
    own = {version.id for version in bank.add(leaf, ItemKind.SINGLE, 8, author=both)}
    paper = one_paper(session, bank, both, clock)
    assert not own & {item.version_id for item in paper.items}
    assert paper.compliance["own_barred"] == 8

    for version in session.scalars(sa.select(ItemVersion).where(ItemVersion.point.has(range_id=leaf.id),
                                                                ItemVersion.author_id != both.account_id)):
        version.state = ItemState.RETIRED
    found = refusal(lambda: one_paper(session, bank, both, clock))
    assert found.code == "unmakeable"
    assert "题库中有 8 道题由您命制或修改过" in found.details[-1]


def test_who_edited_an_item_once_may_not_compose_with_it_later(
        session: Session, bank: Bank, people: People, clock: TestClock) -> None:
    editor = people("孙修订", Role.PAPER_COMPOSER, Role.ITEM_AUTHOR)
    edited = bank.add(leaves(bank.table)[0], ItemKind.SINGLE, 1)[0]
    edited.state = ItemState.SUPERSEDED
    session.flush()
    session.add(ItemVersion(item=edited.item, number=2, point=edited.point, kind=edited.kind, stem="改", key="A", difficulty=3,
                            state=ItemState.SUPERSEDED, content_hash="2", author_id=editor.account_id, created_at=clock()))
    newest = ItemVersion(item=edited.item, number=3, point=edited.point, kind=edited.kind, stem="再改", key="A", difficulty=3,
                         state=ItemState.APPROVED, content_hash="3", author_id=bank.author.account_id, created_at=clock())
    session.add(newest)
    session.flush()
    choice = choose(session, specified(session, bank, editor), editor, seed=1, now=bank.session.info["clock"]())
    assert choice.question.pool.own == {newest.id}


def test_a_person_who_wrote_one_of_its_items_may_not_seal_a_paper_others_may(
        session: Session, bank: Bank, people: People, composer: Viewer, clock: TestClock) -> None:
    writer = people("李命组", Role.PAPER_COMPOSER, Role.ITEM_AUTHOR)
    paper = one_paper(session, bank, composer, clock)
    session.flush()
    item = items_of(paper)[4]
    item.version.author_id = writer.account_id
    session.flush()
    found = refusal(lambda: seal(session, paper, writer, now=clock()))
    assert found.code == "cannot_seal"
    assert "第 5 题由您命制或修改过" in found.details[0]
    seal(session, paper, composer, now=clock())
    assert paper.sealed_by == composer.account_id


def test_a_paper_with_an_item_that_was_retired_meanwhile_is_not_sealed(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    paper = one_paper(session, bank, composer, clock)
    version = items_of(paper)[2].version
    retire(session, version, bank.author, "图号过时", now=clock())
    found = refusal(lambda: seal(session, paper, composer, now=clock()))
    assert found.details == (f"第 3 题（题 {version.item_id} 第 1 版）现在是“已停用”，不能使用。",)
    assert paper.state is PaperState.DRAFT
    assert paper.fingerprint is None


def test_an_item_retired_between_the_search_and_the_writing_is_noticed(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    specification = specified(session, bank, composer)
    choice = choose(session, specification, composer, seed=1, now=clock())
    assert choice.assembly is not None
    session.get_one(ItemVersion, choice.assembly.forms[0][0]).state = ItemState.RETIRED
    assert refusal(lambda: keep(session, specification, choice, composer, now=clock())).code == "bank_changed"


def test_a_draft_whose_items_were_tampered_with_is_not_sealed(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    paper = one_paper(session, bank, composer, clock)
    items = items_of(paper)
    items[0].half_points = 8
    items[19].number = 30
    found = refusal(lambda: seal(session, paper, composer, now=clock()))
    assert any("题号不连续" in line for line in found.details)
    assert any("总分为 99 分" in line for line in found.details)


def test_a_sealed_paper_cannot_be_changed_by_any_way_through_the_house(
        session: Session, bank: Bank, composer: Viewer, people: People, clock: TestClock) -> None:
    paper = one_paper(session, bank, composer, clock)
    seal(session, paper, composer, now=clock())
    open_paper(session, paper, people, now=clock())
    session.commit()
    assert refusal(lambda: seal(session, paper, composer, now=clock())).code == "wrong_state"
    assert refusal(lambda: discard(session, paper, composer, now=clock())).code == "wrong_state"

    def change_name() -> None:
        paper.name = "另一份"
        session.flush()

    def change_item() -> None:
        paper.items[0].number = 101
        session.flush()

    def drop_item() -> None:
        session.delete(paper.items[0])
        session.flush()

    def add_item() -> None:
        used = {item.version_id for item in paper.items}
        other = session.scalars(sa.select(ItemVersion.id).where(ItemVersion.id.not_in(used))).first()
        session.add(PaperItem(paper_id=paper.id, number=99, position=0, version_id=other, half_points=2))
        session.flush()

    def change_specification() -> None:
        paper.specification.minutes = 120
        session.flush()

    def change_quota() -> None:
        paper.specification.quotas[0].count += 1
        session.flush()

    for act in (change_name, change_item, drop_item, add_item, change_specification, change_quota):
        assert refusal(act).code == "sealed", act.__name__
        session.rollback()
    assert verify(session.get_one(Paper, paper.id))


def test_a_change_made_behind_the_houses_back_is_found_by_the_fingerprint(
        session: Session, bank: Bank, composer: Viewer, people: People, clock: TestClock) -> None:
    paper = one_paper(session, bank, composer, clock)
    seal(session, paper, composer, now=clock())
    open_paper(session, paper, people, now=clock())
    session.commit()
    session.execute(sa.text("UPDATE item_versions SET stem = stem || '。' WHERE id = :id"),
                    {"id": paper.items[7].version_id})
    session.expire_all()
    assert not verify(paper)


def test_the_fingerprint_changes_with_every_part_of_the_content_and_with_nothing_else(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    content = content_of(one_paper(session, bank, composer, clock))
    first, *others = content.items
    assert first.options
    edits = {
        "stem": dataclasses.replace(first, stem=first.stem + " "), "key": dataclasses.replace(first, key="BC"),
        "half_points": dataclasses.replace(first, half_points=9), "version": dataclasses.replace(first, version_id=999_999),
        "number": dataclasses.replace(first, number=99), "kind": dataclasses.replace(first, kind="multiple"),
        "option": dataclasses.replace(first, options={**first.options, "A": dataclasses.replace(
            first.options["A"], text="另一说法")}),
        "order": dataclasses.replace(first, options={**first.options, "A": first.options["B"], "B": first.options["A"]}),
        "last": dataclasses.replace(first, options={**first.options, "D": dataclasses.replace(
            first.options["D"], stays_last=True)}),
        "stimulus": dataclasses.replace(first, stimulus="材料"), "guide": dataclasses.replace(first, guide="2|切断电源"),
    }
    changed = [dataclasses.replace(content, items=(edit, *others)) for edit in edits.values()]
    changed += [dataclasses.replace(content, minutes=91), dataclasses.replace(content, specification="x"),
                dataclasses.replace(content, parts=content.parts[:1]), dataclasses.replace(content, items=tuple(others)),
                dataclasses.replace(content, blueprint=dataclasses.replace(content.blueprint, standard_edition="2025")),
                dataclasses.replace(content, weights={**content.weights, "A-A-A": 12}),
                dataclasses.replace(content, quotas={**content.quotas, "A-A-A": (0, 1)}),
                dataclasses.replace(content, scoring={"partial_multiple": True})]
    assert len({fingerprint(content), *map(fingerprint, changed)}) == len(changed) + 1

    turned = dataclasses.replace(
        content, weights=dict(sorted(content.weights.items(), reverse=True)), quotas=dict(sorted(content.quotas.items(), reverse=True)),
        items=tuple(reversed([dataclasses.replace(item, options=dict(sorted(item.options.items(), reverse=True)))
                              for item in content.items])))
    assert canonical(turned) == canonical(content)


def test_papers_of_earlier_releases_keep_the_form_that_their_fingerprint_covers(
        session: Session, bank: Bank, composer: Viewer, people: People, clock: TestClock) -> None:
    paper = one_paper(session, bank, composer, clock)
    first = canonical(content_of(paper))
    assert first.startswith('{"blueprint":{')
    assert '"format":1,' in first
    assert '"stimulus"' not in first
    assert '"salt"' not in first
    seal(session, paper, composer, now=clock())
    assert paper.compliance["scoring"] == {"partial_multiple": False, "partial_fill": False}
    open_paper(session, paper, people, now=clock())
    assert '"format":3,' in canonical(content_of(paper))


def test_a_sealed_paper_is_scored_as_it_was_sealed_whatever_the_rule_pack_says_later(
        session: Session, bank: Bank, composer: Viewer, people: People, clock: TestClock) -> None:
    first, second = assemble(session, specified(session, bank, composer), composer, now=clock(), seed=1, forms=2)
    seal(session, first, composer, now=clock())
    session.add(StoredRulePack(region="43", name="湖南", values='{"partial_credit_multiple": true}'))
    session.flush()
    assert not policy_of(session, first).partial_multiple
    assert policy_of(session, second).partial_multiple
    seal(session, second, composer, now=clock())
    assert verify(first)
    assert verify(second)
    second.compliance["scoring"] = {}  # nobody is told, and yet it is found
    assert not verify(second)


def test_weights_that_were_changed_after_the_specification_stop_assembly(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    specification = specified(session, bank, composer)
    one, other = leaves(bank.table)[:2]
    one.weight, other.weight = one.weight + 2, other.weight - 2
    session.flush()
    assert refusal(lambda: choose(session, specification, composer, seed=1, now=clock())).code == "weights_changed"


@pytest.mark.parametrize(("change", "code"), [
    ({"name": "  "}, "name"), ({"name": "长" * 101}, "name"), ({"minutes": 10}, "minutes"),
    ({"parts": (Part("single", 99, 2),)}, "bad_parts"), ({"parts": ()}, "bad_parts"),
    ({"parts": (Part("single", 50, 2), Part("single", 50, 2))}, "bad_parts"),
    ({"parts": (Part("riddle", 100, 2),)}, "bad_parts"), ({"instructions": "长" * 2001}, "instructions"),
])
def test_a_specification_that_makes_no_sense_is_refused_by_name(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock, change: Any, code: str) -> None:
    values = {"name": "电工", "parts": SMALL, "minutes": 90, **change}
    found = refusal(lambda: specify(session, bank.table, bank.school, values["name"], values["parts"], composer,
                                    minutes=values["minutes"], instructions=values.get("instructions", ""), now=clock()))
    assert found.code == code


def test_only_a_composer_of_this_school_and_occupation_composes(
        session: Session, bank: Bank, people: People, clock: TestClock) -> None:
    elsewhere = people.school("雁城高级技工学校（演示）", region="430400")
    strangers = [people("外校", Role.PAPER_COMPOSER, school=elsewhere), people("命题", Role.ITEM_AUTHOR),
                 people("焊工", scopes=[Scope(Role.PAPER_COMPOSER, people.home.id, occupation_code="6-18-02-04")])]
    for stranger in strangers:
        assert refusal(partial(specified, session, bank, stranger)).code == "not_your_bank"
    electrician = people("电工", scopes=[Scope(Role.PAPER_COMPOSER, people.home.id, occupation_code="6-31-01-03")])
    assert specified(session, bank, electrician).id


def test_forms_and_seeds_out_of_range_are_refused(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    specification = specified(session, bank, composer)
    wrong: tuple[dict[str, Any], ...] = ({"forms": 0, "seed": 1}, {"forms": 201, "seed": 1}, {"seed": -1}, {"seed": 2**53})
    for values in wrong:
        assert refusal(partial(choose, session, specification, composer, now=clock(), **values)).code in {"forms", "seed"}


def test_a_draft_that_is_given_up_is_kept_as_discarded(
        session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> None:
    paper = one_paper(session, bank, composer, clock)
    discard(session, paper, composer, now=clock())
    assert paper.state is PaperState.DISCARDED
    assert refusal(lambda: seal(session, paper, composer, now=clock())).code == "wrong_state"
