"""Sealing and opening: what the database alone tells, who opens, what changed bytes and other keys do, who saw what."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import suspend
from qbank.items.models import ItemFigures, ItemVersion
from qbank.items.practice import release_for_practice
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.audit import verify as unbroken
from qbank.kernel.commands import Installation
from qbank.kernel.db import Base
from qbank.kernel.keyring import Keyring, open_bytes, seal_bytes
from qbank.kernel.refused import Refused
from qbank.kernel.settings import BadSetting, Settings
from qbank.papers import looks, opening, packs
from qbank.papers.commands import group
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, discard, seal, specify, verify
from qbank.papers.models import Paper, PaperItem
from qbank.papers.reproduction import reproduce
from qbank.papers.sealed import PaperLook, PaperOpening, SealedPack
from qbank.papers.sealing import findings
from qbank.papers.specification import Part
from qbank.papers.uses import exposures
from tests.conftest import MONDAY, People, TestClock
from tests.paper_world import open_paper
from tests.plan_world import run
from tests.qbank.papers.conftest import Bank

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))
SEED = 987_654_321_012_345


@pytest.fixture
def papers(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> list[Paper]:
    """Two forms of one family, drafts."""
    form = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())
    return assemble(session, form, composer, now=clock(), seed=SEED, forms=2)


@pytest.fixture
def sealed(session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> Paper:
    seal(session, papers[0], composer, now=clock())
    session.commit()
    return papers[0]


@pytest.fixture
def officers(people: People) -> tuple[Viewer, Viewer]:
    return people("刘考务", Role.EXAM_OFFICER), people("孙考务", Role.EXAM_OFFICER)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def everything(session: Session) -> Iterator[tuple[str, str, str]]:
    """Every cell of every table: table, column, value as text."""
    for table in Base.metadata.sorted_tables:
        for row in session.execute(sa.select(table)).mappings():
            for column, value in row.items():
                yield table.name, str(column), value.hex() if isinstance(value, bytes) else str(value)


def test_the_database_alone_does_not_tell_which_items_are_on_a_shut_paper(
        session: Session, papers: list[Paper], bank: Bank, composer: Viewer, clock: TestClock) -> None:
    """Two papers of disjoint items, one sealed: nothing sets the sealed one's items apart from those that are on no paper."""
    first, second = papers
    mine, theirs = ({item.version_id for item in items_of(paper)} for paper in papers)
    stems = set(session.scalars(sa.select(ItemVersion.stem).where(ItemVersion.id.in_(mine))))
    assert not mine & theirs
    discard(session, second, composer, now=clock())
    session.commit()
    before = set(everything(session))
    seal(session, first, composer, now=clock())
    session.commit()
    session.expire_all()
    assert session.scalars(sa.select(PaperItem)).all() == []
    assert {version.state for version in session.scalars(sa.select(ItemVersion))} == {ItemState.APPROVED}
    assert session.scalars(sa.select(ItemFigures)).all() == []
    new = [cell for cell in everything(session) if cell not in before]
    told = [(table, column) for table, column, value in new if any(stem in value for stem in stems)]
    assert told == []
    # No column of the new cells holds the ids as a list, and no row links a paper to a version or an item of it.
    for table, column, value in new:
        numbers = {int(word) for word in value.replace("[", " ").replace("]", " ").replace(",", " ").split() if word.isdigit()}
        assert len(numbers & mine) < 3, (table, column, value[:80])
    linked = {column.table.name for table in Base.metadata.sorted_tables for column in table.columns
              for key in column.foreign_keys if key.column.table.name in {"item_versions", "items"}}
    rows = {name: session.scalar(sa.select(sa.func.count()).select_from(Base.metadata.tables[name])) for name in linked}
    assert rows["paper_items"] == rows.get("item_figures", 0) == 0


def test_the_seed_is_nowhere_in_clear_not_even_in_the_audit_trail_or_a_job(
        session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    from qbank.kernel.jobs import Job

    session.add(Job(kind="papers.assemble", title="组卷", created_at=clock(), account_id=composer.account_id,
                    arguments={"specification": papers[0].specification_id, "seed": SEED, "forms": 2}))
    session.commit()
    assert any(str(SEED) in value for _, _, value in everything(session))
    seal(session, papers[0], composer, now=clock())
    session.commit()
    session.expire_all()
    assert [(table, column) for table, column, value in everything(session) if str(SEED) in value] == []
    assert unbroken(session) == []
    seal(session, papers[1], composer, now=clock())  # the other form still finds it, in the pack of the first
    assert {packs.packed_of(session, paper).seed for paper in papers} == {SEED}


def test_the_freed_pages_of_sqlite_are_overwritten(session: Session, sealed: Paper, settings: Settings) -> None:
    if session.get_bind().dialect.name == "sqlite":
        assert session.execute(sa.text("PRAGMA secure_delete")).scalar() == 1


def test_the_fingerprint_confirms_no_guess_before_the_opening(
        session: Session, papers: list[Paper], composer: Viewer, people: People, clock: TestClock) -> None:
    """Whoever guesses every item right still cannot compute it: 256 random bits are missing."""
    from qbank.papers.contents import content_of
    from qbank.papers.fingerprint import fingerprint

    paper = papers[0]
    guess = content_of(paper)
    seal(session, paper, composer, now=clock())
    guessed = {fingerprint(guess), fingerprint(content_of(paper, [], ""))}
    assert paper.fingerprint not in guessed
    assert paper.salt is None
    open_paper(session, paper, people, now=clock())
    assert fingerprint(content_of(paper)) == paper.fingerprint  # and afterwards anybody can


def test_a_shut_paper_shows_nobody_its_items_and_rules_still_count_them(
        session: Session, papers: list[Paper], bank: Bank, composer: Viewer, clock: TestClock) -> None:
    paper = papers[0]
    held = [(item.version_id, item.version.item_id) for item in items_of(paper)]
    seal(session, paper, composer, now=clock())
    assert code_of(partial(items_of, paper)) == "shut"
    assert paper.items == []
    assert packs.links(session, [paper.id])[paper.id] == held
    assert exposures(session, bank.table.id, bank.school) == dict.fromkeys((item_id for _, item_id in held), 1)
    again = assemble(session, paper.specification, composer, now=clock(), seed=3)[0]
    shared = {row["id"]: row["shared"] for row in again.compliance["overlap_sealed"]}
    assert shared.get(paper.id, 0) == len({item for _, item in held} & {item.version.item_id for item in items_of(again)})


def test_two_persons_open_it_and_everything_reads_it_as_before(
        session: Session, papers: list[Paper], composer: Viewer, officers: tuple[Viewer, Viewer], clock: TestClock) -> None:
    paper = papers[0]
    before = [(item.number, item.position, item.version_id, item.half_points) for item in items_of(paper)]
    seal(session, paper, composer, now=clock())
    asked = opening.ask(session, paper, officers[0], "9月5日理论第一场", now=clock())
    assert paper.is_shut
    done = opening.confirm(session, paper, officers[1], now=clock.forward(minutes=20))
    assert done is asked
    assert done.opened_at == paper.opened_at == clock()
    assert [(item.number, item.position, item.version_id, item.half_points) for item in items_of(paper)] == before
    assert verify(paper)
    assert {item.version.state for item in items_of(paper)} == {ItemState.IN_USE}
    assert [tuple(row) for row in session.execute(sa.select(ItemFigures.uses, ItemFigures.last_used_at))] == [(1, clock())] * 20
    assert paper.seed == SEED  # the other form of the family is a draft: nothing that is shut could be told
    assert code_of(partial(opening.ask, session, paper, officers[0], "再开", now=clock())) == "open_already"


def test_one_person_alone_opens_nothing(session: Session, sealed: Paper, composer: Viewer, officers: tuple[Viewer, Viewer],
                                        people: People, clock: TestClock) -> None:
    ask, confirm = partial(opening.ask, session, sealed, now=clock()), partial(opening.confirm, session, sealed, now=clock())
    assert code_of(partial(confirm, officers[0])) == "not_asked"
    assert code_of(partial(ask, officers[0], " ")) == "no_reason"
    ask(officers[0], "发卷")
    assert code_of(partial(ask, officers[1], "我也要")) == "asked_already"
    assert code_of(partial(confirm, officers[0])) == "same_person"
    for stranger in (people("外校", Role.EXAM_OFFICER, school=people.school("雁城高级技工学校（演示）")), people("监考", Role.INVIGILATOR),
                     people("命题", Role.ITEM_AUTHOR), people("焊工", scopes=[Scope(Role.PAPER_COMPOSER, people.home.id, occupation_code="6-18-02-04")])):
        assert code_of(partial(confirm, stranger)) == "not_your_paper"
    assert sealed.is_shut
    confirm(composer)  # composer and officer: two persons, one of them outside
    assert not sealed.is_shut


def test_composer_and_sealer_do_not_open_their_own_paper_between_themselves(
        session: Session, papers: list[Paper], composer: Viewer, people: People, clock: TestClock) -> None:
    sealer = people("冯组卷", Role.PAPER_COMPOSER)
    seal(session, papers[0], sealer, now=clock())
    opening.ask(session, papers[0], composer, "看看", now=clock())
    assert code_of(partial(opening.confirm, session, papers[0], sealer, now=clock())) == "composers_alone"
    assert papers[0].is_shut


def test_three_persons_where_the_province_asks_for_three(
        session: Session, sealed: Paper, officers: tuple[Viewer, Viewer], composer: Viewer, clock: TestClock) -> None:
    from qbank.standards.models import StoredRulePack

    session.add(StoredRulePack(region="43", name="湖南", values='{"opening_persons": 3}'))
    session.flush()
    opening.ask(session, sealed, officers[0], "发卷", now=clock())
    opening.confirm(session, sealed, officers[1], now=clock())
    assert sealed.is_shut
    opening.confirm(session, sealed, composer, now=clock())
    assert not sealed.is_shut


def test_the_window_opens_and_shuts(session: Session, sealed: Paper, officers: tuple[Viewer, Viewer], clock: TestClock) -> None:
    ask, confirm = partial(opening.ask, session, sealed), partial(opening.confirm, session, sealed)
    later = clock() + timedelta(hours=3)
    assert code_of(partial(ask, officers[0], "发卷", now=clock(), from_=clock() - timedelta(seconds=1))) == "in_the_past"
    assert code_of(partial(ask, officers[0], "发卷", now=clock(), from_=clock() + timedelta(days=31))) == "too_early"
    asked = ask(officers[0], "发卷", now=clock(), from_=later)
    assert asked.valid_until == later + timedelta(minutes=60)
    assert code_of(partial(confirm, officers[1], now=later - timedelta(seconds=1))) == "not_yet"
    assert code_of(partial(confirm, officers[1], now=later + timedelta(minutes=60))) == "not_asked"  # over
    ask(officers[0], "再次申请", now=later + timedelta(minutes=61))
    confirm(officers[1], now=later + timedelta(minutes=70))
    assert not sealed.is_shut


def test_a_whole_family_is_opened_at_once_and_only_then_its_seed_is_told(
        session: Session, papers: list[Paper], composer: Viewer, officers: tuple[Viewer, Viewer], people: People, clock: TestClock) -> None:
    for paper in papers:
        seal(session, paper, composer, now=clock())
    if papers[0].family is None:
        pytest.skip("assembled without a family")
    open_paper(session, papers[0], people, now=clock())
    assert papers[1].is_shut
    assert papers[0].seed is None  # it would make the other form, too
    opening.ask(session, papers[1], officers[0], "发卷", now=clock(), family=True)
    opening.confirm(session, papers[1], officers[1], now=clock())
    assert [paper.seed for paper in papers] == [SEED, SEED]


BEHIND = {"content": "UPDATE sealed_packs SET content = :held", "directory": "UPDATE sealed_packs SET directory = :held",
          "wrapped_key": "UPDATE sealed_packs SET wrapped_key = :held"}


@pytest.mark.parametrize("column", BEHIND)
def test_one_changed_bit_of_a_pack_is_noticed(session: Session, sealed: Paper, officers: tuple[Viewer, Viewer], clock: TestClock,
                                              column: str) -> None:
    pack = session.scalars(sa.select(SealedPack)).one()
    held = bytearray(getattr(pack, column))
    held[len(held) // 2] ^= 1
    session.execute(sa.text(BEHIND[column]), {"held": bytes(held)})  # behind the house's back
    session.expire_all()
    read = partial(packs.links, session, [sealed.id]) if column == "directory" else partial(packs.packed_of, session, sealed)
    assert code_of(read) == "pack_damaged"
    if column != "directory":
        assert not verify(sealed)
        opening.ask(session, sealed, officers[0], "发卷", now=clock())
        assert code_of(partial(opening.confirm, session, sealed, officers[1], now=clock())) == "pack_damaged"
        assert sealed.is_shut


def test_a_pack_of_another_paper_does_not_open_in_its_place(
        session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    for paper in papers:
        seal(session, paper, composer, now=clock())
    one, other = session.scalars(sa.select(SealedPack).order_by(SealedPack.id)).all()
    session.execute(sa.text("UPDATE sealed_packs SET content = :c, wrapped_key = :k WHERE id = :i"),
                    {"c": other.content, "k": other.wrapped_key, "i": one.id})
    session.expire_all()
    assert code_of(partial(packs.packed_of, session, papers[0])) == "pack_damaged"


def test_without_the_key_file_nothing_opens_and_a_wrong_key_is_named(
        session: Session, sealed: Paper, settings: Settings, clock: TestClock) -> None:
    file = settings.paper_keys.file
    kept = file.read_bytes()
    file.unlink()
    assert code_of(partial(packs.packed_of, session, sealed)) == "no_paper_key"
    assert not file.exists()  # looking makes no new key that would hide the loss
    file.write_bytes(b"x" * 32)
    assert code_of(partial(packs.packed_of, session, sealed)) == "no_paper_key"
    assert not verify(sealed)
    file.write_bytes(kept)
    assert verify(sealed)


def test_the_key_file_is_made_once_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = Settings.from_environment({}, folder=tmp_path)
    file = first.paper_keys.file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    held = file.read_bytes()
    assert len(held) == 32
    assert Settings.from_environment({}, folder=tmp_path).paper_keys.file.read_bytes() == held
    file.write_bytes(b"short")
    with pytest.raises(BadSetting, match=r"papers\.key"):
        Settings.from_environment({}, folder=tmp_path)


def test_rotating_the_installation_key_leaves_every_pack_readable_and_forgets_the_old_key(
        session: Session, sealed: Paper, settings: Settings, officers: tuple[Viewer, Viewer], clock: TestClock) -> None:
    old = settings.paper_keys.file.read_bytes()
    content = bytes(session.scalars(sa.select(SealedPack.content)).one())
    session.commit()
    said = run(group, settings, "rotate-key")
    assert said.startswith("1 packs and prints")
    session.expire_all()
    now_held = settings.paper_keys.file.read_bytes()
    assert len(now_held) == 32
    assert now_held != old
    assert stat.S_IMODE(settings.paper_keys.file.stat().st_mode) == 0o600
    assert [file.name for file in settings.folder.iterdir() if file.name.startswith("papers.key")] == ["papers.key"]
    assert bytes(session.scalars(sa.select(SealedPack.content)).one()) == content
    assert verify(sealed)
    pack = session.scalars(sa.select(SealedPack)).one()
    with pytest.raises(Refused, match=r"pack_damaged"):  # the old key opens nothing of what is here now
        open_bytes(old, pack.wrapped_key, f"examroom/paper/{sealed.id}/key".encode())


def test_a_rotation_that_stops_half_way_loses_nothing(session: Session, sealed: Paper, settings: Settings) -> None:
    packs.rotate(session)
    session.rollback()  # the machine went down before the commit: the file holds both keys
    assert len(settings.paper_keys.names()) == 2
    assert verify(sealed)
    packs.rotate(session)
    session.commit()
    for name in packs.unused_keys(session):
        settings.paper_keys.drop(name)
    assert len(settings.paper_keys.names()) == 1
    assert verify(sealed)


def test_bytes_are_bound_to_what_they_are_about(tmp_path: Path) -> None:
    key, ring = b"k" * 32, Keyring(tmp_path / "papers.key")
    made = seal_bytes(key, b"secret", b"paper 1")
    assert open_bytes(key, made, b"paper 1") == b"secret"
    assert seal_bytes(key, b"secret", b"paper 1") != made  # a fresh nonce each time
    for other, about in ((key, b"paper 2"), (b"l" * 32, b"paper 1")):
        assert code_of(partial(open_bytes, other, made, about)) == "pack_damaged"
    name, wrapped = ring.wrap(key, b"paper 1")
    assert ring.unwrap(name, wrapped, b"paper 1") == key


def test_every_pack_is_filled_up_to_full_blocks() -> None:
    sizes = {len(packs.padded(b"x" * size)) for size in (1, 100, 3000)} | {len(packs.padded(os.urandom(3000)))}
    assert sizes == {packs.BLOCK}
    assert packs.unpadded(packs.padded("试卷".encode())) == "试卷".encode()


def test_an_item_suspended_after_the_sealing_stops_the_opening_and_the_dealing(
        session: Session, papers: list[Paper], bank: Bank, composer: Viewer, officers: tuple[Viewer, Viewer], people: People,
        clock: TestClock) -> None:
    first, second = papers
    doubtful, other = items_of(first)[3].version, items_of(second)[6].version
    for paper in papers:
        seal(session, paper, composer, now=clock())
    suspend(session, doubtful, people("李明", Role.ITEM_REVIEWER), "单位有误", now=clock())
    opening.ask(session, first, officers[0], "发卷", now=clock())
    with pytest.raises(Refused, match=r"^items_suspended:") as refused:
        opening.confirm(session, first, officers[1], now=clock())
    assert refused.value.details == ("第 4 题封存后被暂停使用，还没有恢复。",)
    open_paper(session, second, people, now=clock())
    opening.require_open(session, second, now=clock())
    suspend(session, other, people("李明", Role.ITEM_REVIEWER), "图号过时", now=clock())
    assert code_of(partial(opening.require_open, session, second, now=clock())) == "items_suspended"


def test_an_item_that_went_to_practice_stops_the_opening(
        session: Session, papers: list[Paper], bank: Bank, composer: Viewer, officers: tuple[Viewer, Viewer], clock: TestClock) -> None:
    """Its author is not told that it is on a shut paper; who opens is told that the paper cannot be used."""
    item = items_of(papers[0])[0].version.item
    seal(session, papers[0], composer, now=clock())
    release_for_practice(session, item, bank.author, "公开", now=clock())
    opening.ask(session, papers[0], officers[0], "发卷", now=clock())
    assert code_of(partial(opening.confirm, session, papers[0], officers[1], now=clock())) == "practice_items"


def test_content_changed_behind_the_houses_back_is_found_shut_and_opened(
        session: Session, papers: list[Paper], composer: Viewer, people: People, officers: tuple[Viewer, Viewer], clock: TestClock) -> None:
    version_id = items_of(papers[0])[7].version_id
    seal(session, papers[0], composer, now=clock())
    assert findings(papers[0]) == []
    session.execute(sa.text("UPDATE item_versions SET stem = stem || '。' WHERE id = :id"), {"id": version_id})
    session.expire_all()
    assert findings(papers[0]) == ["题库中的试题、组卷方案或权重表在封存后被改动，与密封内容不一致。"]
    opening.ask(session, papers[0], officers[0], "发卷", now=clock())
    assert code_of(partial(opening.confirm, session, papers[0], officers[1], now=clock())) == "paper_changed"


def test_a_draft_with_the_very_same_items_would_tell_and_is_to_go_first(
        session: Session, papers: list[Paper], composer: Viewer, clock: TestClock) -> None:
    twins = assemble(session, papers[0].specification, composer, now=clock(), seed=SEED, forms=2)
    with pytest.raises(Refused, match=r"^cannot_seal:") as refused:
        seal(session, papers[0], composer, now=clock())
    assert twins[0].name in refused.value.details[0]
    for twin in twins:
        discard(session, twin, composer, now=clock())
        assert items_of(twin) == []
    seal(session, papers[0], composer, now=clock())


def test_the_same_call_makes_the_same_paper_again_or_says_what_changed(
        session: Session, papers: list[Paper], bank: Bank, composer: Viewer, people: People, clock: TestClock) -> None:
    used = items_of(papers[0])[0].version
    for paper in papers:
        seal(session, paper, composer, now=clock.forward(minutes=1))
    assert reproduce(session, papers[0], composer, now=clock()) == []  # shut, and though its own items count as used now
    open_paper(session, papers[0], people, now=clock())
    assert reproduce(session, papers[0], composer, now=clock()) == []
    suspend(session, used, people("李明", Role.ITEM_REVIEWER), "疑问", now=clock())
    said = reproduce(session, papers[0], composer, now=clock())
    assert "当时可用 430 道，现在 429 道" in said[0]
    assert said[-1].startswith("重新组卷得到的试卷与封存的试卷有")


def test_every_look_is_on_record_with_who_when_what_and_from_where(
        session: Session, papers: list[Paper], composer: Viewer, officers: tuple[Viewer, Viewer], people: People, clock: TestClock) -> None:
    paper = papers[0]
    session.info["address"] = "10.0.0.7"
    seal(session, paper, composer, now=clock())
    opening.ask(session, paper, officers[0], "第一场", now=clock())
    opening.confirm(session, paper, officers[1], now=clock.forward(minutes=5))
    looks.record(session, paper, officers[0], "content", now=clock.forward(minutes=1))
    session.commit()
    told = [(look.account.name, look.what, look.at - MONDAY, look.address, look.detail) for look in reversed(looks.looks_at(session, paper))]
    minutes = [timedelta(minutes=count) for count in range(7)]
    assert told == [("郑组卷", "composed", minutes[0], "10.0.0.7", ""), ("刘考务", "opened", minutes[5], "10.0.0.7", "第一场"),
                    ("孙考务", "opened", minutes[5], "10.0.0.7", "第一场"), ("刘考务", "content", minutes[6], "10.0.0.7", "")]
    trail = session.execute(sa.text("SELECT count(*) FROM audit_entries WHERE table_name = 'paper_looks'")).scalar()
    assert trail == 4  # a look that is deleted is missed
    with pytest.raises(ValueError, match="not a kind"):
        looks.record(session, paper, composer, "x", now=clock())
    assert looks.may_look(session, paper, officers[0])
    assert looks.may_look(session, paper, composer)
    assert not looks.may_look(session, paper, people("王考务", Role.EXAM_OFFICER))
    assert session.scalars(sa.select(PaperLook.what)).all().count("opened") == 2
    assert session.scalars(sa.select(PaperOpening.reason)).all() == ["第一场"]


def test_the_pack_holds_all_that_is_rendered(session: Session, sealed: Paper) -> None:
    packed = packs.packed_of(session, sealed)
    first = json.loads(packed.canonical)["items"][0]
    assert {"stem", "options", "key", "guide", "stimulus", "version_id", "half_points"} <= first.keys()
    assert len(packed.rendered) == len(packed.rows) == 20
    assert packed.bank["bank_size"] == 430
    assert packed.report["program"]


def test_the_console_checks_all_papers_and_lists_no_seed_of_a_shut_one(
        session: Session, sealed: Paper, settings: Settings) -> None:
    assert "1 sealed papers, 0 changed" in run(group, settings, "verify")
    listed = run(group, settings, "list")
    assert sealed.name in listed
    assert str(SEED) not in listed
    assert isinstance(Installation(settings.folder).settings.paper_keys, Keyring)
