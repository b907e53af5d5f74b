"""A closed sitting with an essay of ten points, markers and a chief, for tests of written marking."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.delivery.models import HandIn
from examroom.delivery.sheets import Event
from examroom.marking import desk, marks, written
from examroom.marking.written_models import Marker, MarkingTask, Script, ScriptMark, WrittenQuestion
from qbank.items.states import ItemKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.identity import IdentityCipher
from tests.conftest import People
from tests.sitting_world import NAMES, SittingWorld

ESSAY = 9  # its number: after four singles, two multiples and two judges
TEXTS = {"陈晓": "先切断电源，再用验电器验电，最后挂接地线。", "刘洋": "断电以后挂地线。", "周婷": ""}


class ClosedWorld(SittingWorld):
    """A sitting that is over: ``after`` is a minute after its end, ``third`` one more officer."""

    after: datetime
    third: Viewer


class MarkingWorld(ClosedWorld):
    """``MarkingWorld.of(session, people, key, now)``: everybody handed in, nobody has marked."""

    chief: Viewer
    markers: list[Viewer]

    @classmethod
    def of(cls, session: Session, people: People, key: bytes, now: datetime, *, candidates: int = 3, markers: int = 2) -> MarkingWorld:
        made = cls(session, people, IdentityCipher(key), essay=1, worth={ItemKind.ESSAY: 20}, candidates=candidates)
        made.make(now)
        made.running()
        for place, name in enumerate(NAMES[:candidates]):
            made.write(name, TEXTS.get(name, f"切断电源，验电，第 {place} 种说法。"))
        made.after = made.sitting.ends_at + timedelta(minutes=1)
        desk.close_due(session, made.after)
        made.chief = people("组长钱工", Role.MARKER)
        made.markers = [people(f"阅卷{name}", Role.MARKER) for name in ("吴工", "郑工", "王工", "冯工")[:markers]]
        for person in made.markers:
            made.appoint(person)
        made.appoint(made.chief, chief=True)
        return made

    def write(self, name: str, text: str) -> None:
        sheet = self.start(name)
        events = [Event(number, number, key) for number, key in self.keys().items() if number != ESSAY]
        sheets.save(self.session, sheet, [*events, Event(ESSAY, ESSAY, text)], now=self.begin)
        sheets.hand_in(self.session, sheet, HandIn.FORCED, now=self.begin + timedelta(minutes=40))

    def appoint(self, person: Viewer, *, chief: bool = False, classes: tuple[str, ...] = ()) -> Marker:
        return written.appoint(self.session, self.sitting, person.account_id, self.officer, chief=chief, classes=classes, now=self.after)

    def distribute(self) -> tuple[int, int]:
        return written.distribute(self.session, self.sitting, self.officer, now=self.after)

    @property
    def question(self) -> WrittenQuestion:
        return written.questions_of(self.session, self.sitting)[0]

    def script(self, name: str) -> Script:
        sheet = self.sheet(name)
        return self.session.query(Script).filter_by(sheet_id=sheet.id).one()

    def task(self, person: Viewer, name: str) -> MarkingTask:
        return next(task for task in self.script(name).tasks if task.marker.account_id == person.account_id)

    def give(self, person: Viewer, name: str, *points: float) -> ScriptMark:
        """Points of each line of the guide, as a person says them."""
        return marks.give(self.session, self.task(person, name), [int(2 * point) for point in points], person, now=self.after)
