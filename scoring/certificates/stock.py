"""The register of blank certificates (空白证书): received, used for certificates, spoiled, returned, counted.

Everything is by the number printed on the blank, so that at any time received = in stock + used + spoiled + returned,
and every piece can be named. A spoiled blank takes two persons: it is the one way in which a good one could vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from scoring.certificates import blanks
from scoring.certificates.desk import certificates_of
from scoring.certificates.models import Certificate
from scoring.certificates.stock_models import Blank, BlankState, MoveKind, MoveState, StockCount, StockMove
from scoring.results.models import ResultList

LONGEST = 500
MAY_LEAVE = {MoveKind.SPOILED: {BlankState.IN_STOCK, BlankState.USED}, MoveKind.RETURNED: {BlankState.IN_STOCK}}
SHOWN = 5  # numbers or runs named in a refusal


@dataclass(frozen=True)
class Balance:
    """What became of all blanks of a school, and what waits for a second person."""

    in_stock: int = 0
    used: int = 0
    spoiled: int = 0
    returned: int = 0
    asked: int = 0

    @property
    def received(self) -> int:
        return self.in_stock + self.used + self.spoiled + self.returned


def balance(session: Session, institution_id: int) -> Balance:
    """The books as they stand."""
    counts = {row.state: row.pieces for row in session.execute(
        sa.select(Blank.state, sa.func.count().label("pieces")).where(Blank.institution_id == institution_id).group_by(Blank.state))}
    asked = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(StockMove.pieces), 0)).where(
        StockMove.institution_id == institution_id, StockMove.state == MoveState.ASKED)) or 0
    return Balance(**{state.value: counts.get(state, 0) for state in BlankState}, asked=asked)


def receive(session: Session, institution: Institution, first: str, last: str, note: str, who: Viewer, *, now: datetime) -> StockMove:
    """Take a run of printed numbers into the books. Refuses a number that was received before."""
    _require(session, institution.id, who)
    numbers = _run(first, last)
    if known := [one.number for one in _within(session, institution.id, numbers)]:
        raise Refused("received_already", f"有 {len(known)} 个印刷号以前已经入库，请核对起止号。", blanks.told(known)[:SHOWN])
    move = _move(session, institution.id, MoveKind.RECEIVED, numbers, note, "请写明从哪里领取、领取单号或交接人。", who, now)
    move.state = MoveState.DONE
    session.add_all(Blank(institution_id=institution.id, number=number, received=move) for number in numbers)
    session.flush()
    return move


def give_back(session: Session, institution: Institution, first: str, last: str, note: str, who: Viewer, *, now: datetime) -> StockMove:
    """Return blanks that were not used."""
    _require(session, institution.id, who)
    numbers = _run(first, last)
    held = _leaving(session, institution.id, numbers, MoveKind.RETURNED)
    move = _move(session, institution.id, MoveKind.RETURNED, numbers, note, "请写明退回给谁、原因和交接单号。", who, now)
    move.state = MoveState.DONE
    _leave(held, move, BlankState.RETURNED)
    session.flush()
    return move


def ask_to_spoil(session: Session, institution: Institution, first: str, last: str, note: str, who: Viewer, *, now: datetime) -> StockMove:
    """Ask that blanks be written off: misprinted, damaged, lost. Another officer decides."""
    _require(session, institution.id, who)
    numbers = _run(first, last)
    _leaving(session, institution.id, numbers, MoveKind.SPOILED)
    if twice := _asked_already(session, institution.id, set(numbers)):
        raise Refused("asked_already", "这些空白证书中有的已申请作废，等待另一名考务人员核准。", twice)
    return _move(session, institution.id, MoveKind.SPOILED, numbers, note, "请写明作废的原因（打印错误、破损、遗失等）和处置办法。", who, now)


def decide(session: Session, move: StockMove, who: Viewer, approves: bool, comment: str, *, now: datetime) -> None:
    """Another officer agrees to write blanks off, or refuses with a comment."""
    _require(session, move.institution_id, who)
    if move.state is not MoveState.ASKED:
        raise Refused("decided_already", f"这份申请已经处理过了，现在是“{move.state.chinese}”。")
    if move.asked_by == who.account_id:
        raise Refused("same_person", "空白证书作废须由另一名考务人员核准，申请人不能核准自己的申请。")
    if not approves and len(comment.strip()) < 2:
        raise Refused("no_reason", "不同意时请写明原因，申请人能看到。")
    move.decided_by, move.decided_at, move.comment = who.account_id, now, comment.strip()[:LONGEST]
    move.state = MoveState.DONE if approves else MoveState.REFUSED
    if approves:
        _leave(_leaving(session, move.institution_id, _run(move.first, move.last), MoveKind.SPOILED), move, BlankState.SPOILED)
    session.flush()


def print_on(session: Session, result_list: ResultList, first: str, who: Viewer, *, now: datetime) -> int:
    """Put on record that the certificates of a list were printed on blanks, in the order of their numbers from ``first`` on.

    Certificates that stand on a blank already, and revoked ones, are left out.
    """
    school = result_list.plan.institution_id
    _require(session, school, who)
    waiting = unprinted(session, result_list)
    if not waiting:
        raise Refused("nothing_to_print", "这批有效证书都已登记空白证书。")
    start = _run(first, first)[0]
    free = session.scalars(sa.select(Blank).where(
        Blank.institution_id == school, Blank.state == BlankState.IN_STOCK, Blank.number.startswith(blanks.head(start), autoescape=True),
        sa.func.length(Blank.number) == len(start), Blank.number >= start)
        .order_by(Blank.number).limit(len(waiting)).with_for_update()).all()
    if not free or free[0].number != start:
        raise Refused("not_in_stock", f"{start} 不在库。请核对空白证书上的印刷号，或先登记入库。")
    if len(free) < len(waiting):
        raise Refused("stock_short", f"需要 {len(waiting)} 份空白证书，从 {start} 起在库只有 {len(free)} 份。请先领取并登记入库。")
    for blank, certificate in zip(free, waiting, strict=True):
        use(blank, certificate, who, now=now)
    session.flush()
    return len(waiting)


def print_one(session: Session, certificate: Certificate, number: str, who: Viewer, *, now: datetime) -> Blank:
    """Put on record which blank one certificate was printed on, as after a misprint or for a copy."""
    school = certificate.result.list.plan.institution_id
    _require(session, school, who)
    if certificate.revoked_at is not None:
        raise Refused("revoked", f"证书 {certificate.number} 已注销，不能再打印。")
    if standing := blank_of(session, certificate):
        raise Refused("printed_already", f"这份证书已登记在空白证书 {standing.number} 上。打印错误或换发时，请先把它作废。")
    wanted = _run(number, number)[0]
    blank = session.scalar(sa.select(Blank).where(Blank.institution_id == school, Blank.number == wanted,
                                                  Blank.state == BlankState.IN_STOCK).with_for_update())
    if blank is None:
        raise Refused("not_in_stock", f"{wanted} 不在库。请核对空白证书上的印刷号，或先登记入库。")
    use(blank, certificate, who, now=now)
    session.flush()
    return blank


def use(blank: Blank, certificate: Certificate, who: Viewer, *, now: datetime) -> None:
    blank.state, blank.certificate, blank.used_by, blank.used_at = BlankState.USED, certificate, who.account_id, now


def blank_of(session: Session, certificate: Certificate) -> Blank | None:
    """The blank that a certificate stands on."""
    return session.scalar(sa.select(Blank).where(Blank.certificate_id == certificate.id, Blank.state == BlankState.USED))


def unprinted(session: Session, result_list: ResultList) -> list[Certificate]:
    """Valid certificates of a list that stand on no blank, by number."""
    valid = [one for one in certificates_of(session, result_list) if one.revoked_at is None]
    standing = set(session.scalars(sa.select(Blank.certificate_id).where(
        Blank.state == BlankState.USED, Blank.certificate_id.in_([one.id for one in valid]))))
    return [one for one in valid if one.id not in standing]


def count(session: Session, institution: Institution, counted: int, witness: str, explanation: str, who: Viewer, *, now: datetime) -> StockCount:
    """盘点: what lies in the cupboard against the books. Both the difference and its explanation stay."""
    _require(session, institution.id, who)
    expected = balance(session, institution.id).in_stock
    if not 2 <= len(witness.strip()) <= 60:
        raise Refused("no_witness", "请填写共同盘点人的姓名。")
    if counted != expected and len(explanation.strip()) < 2:
        raise Refused("unexplained", f"账面在库 {expected} 份，盘点 {counted} 份，相差 {abs(counted - expected)} 份。请写明差异原因和处理办法。")
    made = StockCount(institution_id=institution.id, counted=counted, expected=expected, explanation=explanation.strip()[:LONGEST],
                      witness=witness.strip(), counted_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def _require(session: Session, institution_id: int, who: Viewer) -> None:
    require_duty(session, who, institution_id, Role.EXAM_OFFICER)


def _run(first: str, last: str) -> list[str]:
    try:
        return blanks.run(first, last)
    except ValueError as error:
        raise Refused("bad_number", f"{error}。请照空白证书上的印刷号填写。") from None


def _move(session: Session, institution_id: int, kind: MoveKind, numbers: Sequence[str], note: str, wanted: str, who: Viewer,
          now: datetime) -> StockMove:
    if not 2 <= len(note.strip()) <= LONGEST:
        raise Refused("no_note", wanted)
    made = StockMove(institution_id=institution_id, kind=kind, first=numbers[0], last=numbers[-1], pieces=len(numbers), note=note.strip(),
                     state=MoveState.ASKED, asked_by=who.account_id, asked_at=now)
    session.add(made)
    session.flush()
    return made


def _within(session: Session, institution_id: int, numbers: Sequence[str]) -> list[Blank]:
    """The blanks of a run that are in the books, locked."""
    wanted = set(numbers)
    near = session.scalars(sa.select(Blank).where(Blank.institution_id == institution_id, Blank.number.between(numbers[0], numbers[-1]),
                                                  sa.func.length(Blank.number) == len(numbers[0])).with_for_update())
    return [one for one in near if one.number in wanted]  # a collation may put others between them


def _leaving(session: Session, institution_id: int, numbers: Sequence[str], kind: MoveKind) -> list[Blank]:
    """The blanks of a run, all of which may leave in this way."""
    held = {one.number: one for one in _within(session, institution_id, numbers)}
    missing = [number for number in numbers if number not in held]
    if missing:
        raise Refused("not_received", f"有 {len(missing)} 个印刷号没有入库记录，请核对起止号。", blanks.told(missing)[:SHOWN])
    wrong = [one for one in held.values() if one.state not in MAY_LEAVE[kind]]
    if wrong:
        raise Refused("not_in_stock", f"有 {len(wrong)} 份不能{kind.chinese}，请核对起止号。",
                      [f"{one.number}：{one.state.chinese}" for one in wrong[:SHOWN]])
    return [held[number] for number in numbers]


def _leave(held: Sequence[Blank], move: StockMove, state: BlankState) -> None:
    for blank in held:
        blank.state, blank.gone = state, move


def _asked_already(session: Session, institution_id: int, numbers: set[str]) -> list[str]:
    pending = session.scalars(sa.select(StockMove).where(
        StockMove.institution_id == institution_id, StockMove.kind == MoveKind.SPOILED, StockMove.state == MoveState.ASKED))
    return [f"{move.first}—{move.last}" for move in pending if numbers.intersection(blanks.run(move.first, move.last))]
