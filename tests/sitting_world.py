"""A small sitting for tests of the exam rooms: one school, one sealed paper, seated candidates, two invigilators."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from examroom.delivery import cards, pages, saving, sheets, tokens
from examroom.delivery.models import Sheet
from examroom.delivery.tokens import Holder
from examroom.filing.models import FiledScope
from examroom.invigilation import rooms
from examroom.plans.condition_models import Qualification
from examroom.plans.models import (
    Enrolment,
    ExamPlan,
    PlanState,
    Room,
    RoomInvigilator,
    Seat,
    Sitting,
    SittingRoom,
)
from qbank.items.models import Item, ItemVersion, Option
from qbank.items.states import ItemKind, ItemState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Institution, create_account, set_identity
from qbank.kernel.identity import IdentityCipher
from qbank.papers.models import Paper, PaperItem, Specification, SpecificationPart
from qbank.standards.models import Importance, Occupation, Point, Range, Standard, Subject, WeightTable
from tests.paper_world import open_paper, seal_paper

if TYPE_CHECKING:
    from tests.conftest import People

NAMES = ("陈晓", "刘洋", "周婷", "吴磊", "黄静", "赵鹏")


def checked_number(head: str) -> str:
    """``head`` (17 digits) with the check digit of GB 11643."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return head + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(head, weights, strict=True)) % 11]


@dataclass
class SittingWorld:
    """``SittingWorld(session, people, cipher).make(now)``; then ``deal()``, ``open()``, ``start("陈晓")``."""

    session: Session
    people: People
    cipher: IdentityCipher
    single: int = 4
    multiple: int = 2
    judge: int = 2
    fill: int = 0
    short: int = 0
    essay: int = 0
    worth: dict[ItemKind, int] = field(default_factory=dict)  # half-points of each item of a kind, 2 unless said
    candidates: int = 3
    code: str = "6-31-01-03"
    prefix: str = "4301260001"
    numbers: dict[str, str] = field(default_factory=dict)  # name -> identity number
    stems: dict[int, str] = field(default_factory=dict)  # paper number -> what the question says instead

    def make(self, now: datetime, *, starts_in: timedelta = timedelta(hours=1), minutes: int = 90,
             school: Institution | None = None) -> Self:
        self.now = now
        self.school = school or self.people.home
        self.officer = self.people("考务周敏", Role.EXAM_OFFICER, school=self.school)
        self.invigilator = self.people("监考李强", Role.INVIGILATOR, school=self.school)
        self.second = self.people("监考王芳", Role.INVIGILATOR, school=self.school)
        self.author = self.people("命题何工", Role.ITEM_AUTHOR, school=self.school)
        self._standard()
        self.paper = self.sealed_paper("理论A卷")
        self._plan(starts_in, minutes)
        self.session.flush()
        return self

    def _standard(self) -> None:
        occupation = Occupation(code=self.code, catalogue_edition="2015", name="电工")
        self.standard = Standard(occupation=occupation, edition="2018", title="电工国家职业技能标准")
        self.table = WeightTable(standard=self.standard, level=4, subject=Subject.THEORY, is_sample=True)
        leaf = Range(table=self.table, segment="A", path="A", name="职业道德", weight=200)
        self.point = Point(range=leaf, segment="001", name="职业守则", importance=Importance.X)
        self.session.add_all([occupation, self.standard, self.table, self.point])
        self.session.flush()

    def sealed_paper(self, name: str, *, sealed: bool = True) -> Paper:
        """Singles (keys B, C, D, A, ...), multiples (key AC, the option D stays last), judges (T, F, ...); 2 half-points each."""
        parts = [(ItemKind.SINGLE, self.single), (ItemKind.MULTIPLE, self.multiple), (ItemKind.JUDGE, self.judge)]
        written = [(ItemKind.FILL, self.fill), (ItemKind.SHORT, self.short), (ItemKind.ESSAY, self.essay)]
        parts += [(kind, count) for kind, count in written if count]
        specification = Specification(
            institution_id=self.school.id, table=self.table, name="小卷", minutes=90, created_by=self.author.account_id,
            created_at=self.now, weights={"A": 200}, within_bank=True,
            parts=[SpecificationPart(position=place, kind=kind, count=count, half_points=self.worth.get(kind, 2))
                   for place, (kind, count) in enumerate(parts)])
        paper = Paper(specification=specification, institution_id=self.school.id, name=name, form="A", seed=7,
                      composer_id=self.author.account_id, created_at=self.now, compliance={})
        self.session.add(paper)
        self.session.flush()
        number = 0
        for place, (kind, count) in enumerate(parts):
            for index in range(count):
                number += 1
                stem = self.stems.get(number, f"{name} {kind.chinese} 第 {number} 题：下列说法是否正确？")
                version = self._version(kind, index, stem)
                paper.items.append(PaperItem(number=number, position=place, version=version, half_points=self.worth.get(kind, 2)))
        self.session.flush()
        if not sealed:
            return paper
        return open_paper(self.session, seal_paper(self.session, paper, self.officer, now=self.now), self.people, now=self.now)

    def _version(self, kind: ItemKind, index: int, stem: str) -> ItemVersion:
        key = {ItemKind.SINGLE: "BCDA"[index % 4], ItemKind.MULTIPLE: "AC", ItemKind.JUDGE: "TF"[index % 2],
               ItemKind.FILL: "接触器\n熔断器"}.get(kind, "切断电源并验电。")
        options = [] if kind not in {ItemKind.SINGLE, ItemKind.MULTIPLE} else [
            Option(letter=letter, text=f"选项{letter}的内容", stays_last=kind is ItemKind.MULTIPLE and letter == "D")
            for letter in "ABCD"]
        item = Item(institution_id=self.school.id, table_id=self.table.id)
        half = self.worth.get(kind, 2) / 4  # a guide of two steps that adds up to the worth
        guide = f"{half:g}|切断电源并验电\n{half:g}|挂接地线" if kind in {ItemKind.SHORT, ItemKind.ESSAY} else ""
        version = ItemVersion(item=item, number=1, point=self.point, kind=kind, stem=stem, key=key, difficulty=2, guide=guide,
                              explanation="解析：保密内容", state=ItemState.APPROVED, content_hash="0" * 64,
                              author_id=self.author.account_id, created_at=self.now, options=options)
        self.session.add(version)
        self.session.flush()
        return version

    def _plan(self, starts_in: timedelta, minutes: int) -> None:
        self.plan = ExamPlan(institution_id=self.school.id, standard_id=self.standard.id, level=4, title="电工四级第一批",
                             number=f"P{self.prefix}", state=PlanState.APPROVED, starts_on=date(2026, 6, 1),
                             created_by=self.officer.account_id)
        scope = FiledScope(institution_id=self.school.id, standard_id=self.standard.id, level=4, valid_from=date(2020, 1, 1),
                           valid_until=date(2039, 12, 31), published_by=self.officer.account_id)
        self.session.add_all([self.plan, scope])
        self.session.flush()
        self.enrolments = [self._enrol(place) for place in range(self.candidates)]
        self.sitting = self.add_sitting("理论第一场", self.now + starts_in, minutes, self.enrolments)
        self.room = self.sitting.rooms[0]

    def _enrol(self, place: int) -> Enrolment:
        name = NAMES[place] if place < len(NAMES) else f"考生{place + 1:03d}"
        ticket = f"{self.prefix}{place + 1:04d}"
        account = create_account(self.session, f"c{ticket}", name, [Scope(Role.CANDIDATE, self.school.id)],
                                 institution=self.school)
        self.numbers[name] = checked_number(f"430102200501{1 + (place + 1) // 1000:02d}{(place + 1) % 1000:03d}")
        set_identity(account, self.numbers[name], self.cipher)
        enrolment = Enrolment(plan=self.plan, candidate=account, ticket_number=ticket, class_name="电气2401",
                              qualification=Qualification.ACCEPTED)
        self.session.add(enrolment)
        self.session.flush()
        return enrolment

    def add_sitting(self, name: str, starts_at: datetime, minutes: int, seated: list[Enrolment],
                    paper: Paper | None = None) -> Sitting:
        count = len(self.plan.sittings) + 1
        room = Room(institution_id=self.school.id, name=f"机房{'一二三四'[count - 1]}", seats=max(30, len(seated)))
        self.session.add(room)
        self.session.flush()
        sitting = Sitting(plan=self.plan, papers=[paper or self.paper], name=name, starts_at=starts_at, minutes=minutes)
        watched = SittingRoom(sitting=sitting, room=room, invigilators=[
            RoomInvigilator(account_id=self.invigilator.account_id), RoomInvigilator(account_id=self.second.account_id)])
        self.session.add_all([sitting, watched])
        self.session.flush()
        for number, enrolment in enumerate(seated, 1):
            self.session.add(Seat(sitting_id=sitting.id, sitting_room=watched, enrolment=enrolment, number=number))
        self.session.flush()
        return sitting

    def deal(self, seed: str = "seed-1") -> int:
        return sheets.deal(self.session, self.sitting, self.officer, now=self.now, seed=seed)

    def open(self, *, now: datetime) -> None:
        rooms.open_room(self.session, self.room, self.invigilator, now=now)

    def running(self) -> Self:
        """Dealt, the room open, the time come: ``self.begin`` is the start."""
        self.deal()
        self.begin = self.sitting.starts_at
        self.open(now=self.begin - timedelta(minutes=5))
        return self

    def enrolment(self, name: str) -> Enrolment:
        return next(enrolment for enrolment in self.enrolments if enrolment.candidate.name == name)

    def viewer(self, name: str) -> Viewer:
        return self.enrolment(name).candidate.viewer()

    def sheet(self, name: str) -> Sheet:
        enrolment = self.enrolment(name)
        return next(sheet for sheet in self.session.query(Sheet).all()
                    if (sheet.enrolment_id, sheet.sitting_id) == (enrolment.id, self.sitting.id))

    def sheet_id(self, name: str) -> int:
        """For tests at the doors: commits, because an open session of the test would keep SQLite's write lock."""
        found = self.sheet(name).id
        self.session.commit()
        return found

    def open_page(self, name: str, machine: str, *, now: datetime, session: Session | None = None) -> tuple[pages.Opened, Holder]:
        """A browser opens the exam page; what came of it, and what its token says. Refused when it may not."""
        own = session or self.session
        own.flush()
        sheet = own.scalars(sa.select(Sheet).where(Sheet.enrolment_id == self.enrolment(name).id)).one()
        account = sheet.enrolment.candidate
        holder = Holder(sheet.id, tokens.draw_generation(), account.id, account.generation)
        token = tokens.issue(b"s" * 32, holder)
        opening = pages.Opening(holder, tokens.hashed(token), pages.mark_of(machine), "10.0.0.7", cards.Cards())
        opened = pages.open_pages(own, [opening], now=now)[0]
        own.expire_all()
        if isinstance(opened, Exception):
            raise opened
        return opened, holder

    def stop_of(self, holder: Holder) -> str:
        """Why a page may not write: empty when it may."""
        self.session.flush()
        connection = self.session.connection()
        return saving.stop_of(connection, saving.standings(connection, [holder.sheet_id]).get(holder.sheet_id), holder)

    def start(self, name: str) -> Sheet:
        sheet = self.sheet(name)
        sheets.start(self.session, sheet, now=self.begin)
        return sheet

    def keys(self) -> dict[int, str]:
        return {item.number: item.version.key for item in self.paper.items}

    def enter(self, app: Flask, name: str) -> FlaskClient:
        """A browser in which the candidate has signed in at the exam door. Commit first."""
        client = app.test_client()
        answer = client.post("/exam", data={"ticket": self.enrolment(name).ticket_number,
                                            "identity_number": self.numbers[name]})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return client
