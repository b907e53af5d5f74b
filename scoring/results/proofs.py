"""Single-part certificates of score (单科成绩证明): issued from a final result, printed, checked in public by code and name."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer
from qbank.kernel.printing import qr_code, typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.models import LEVEL_NAMES
from qbank.standards.packs import pack_for
from scoring.practical.duties import require
from scoring.practical.joining import spoken_points
from scoring.results import visits
from scoring.results.case_models import ScoreProof
from scoring.results.credits import passed_alone, years_later
from scoring.results.merge import required_parts
from scoring.results.models import Result, ResultList, ResultState
from scoring.results.objections import LETTERS

TEMPLATE = Path(__file__).with_name("proof.typ")


def issuable(session: Session, result_list: ResultList) -> list[tuple[Result, str, int]]:
    """(result, part, half-points) that were passed in this examination and have no proof that stands, by ticket."""
    if result_list.state is not ResultState.FINAL:
        return []
    pack = pack_for(session, result_list.plan.institution)
    has = {(one.result_id, one.part) for one in of_list(session, result_list) if one.revoked_at is None}
    rows = session.scalars(sa.select(Result).join(Result.enrolment).where(Result.list_id == result_list.id)
                           .options(joinedload(Result.enrolment).joinedload(Enrolment.candidate)).order_by(Enrolment.ticket_number))
    return [(row, part, score) for row in rows for part in required_parts(result_list.plan.level, pack)
            if (score := passed_alone(row, part, pack)) is not None and (row.id, part) not in has]


def issue(session: Session, result_list: ResultList, chosen: Sequence[tuple[int, str]], who: Viewer, *, now: datetime) -> int:
    """Proofs for the chosen (result id, part); refuses what was not passed or has one. Returns how many."""
    plan = result_list.plan
    require(session, plan, who, Role.EXAM_OFFICER)
    if result_list.state is not ResultState.FINAL:
        raise Refused("not_final", f"结果现在是“{result_list.told}”，省审核通过后才能出具单科成绩证明。")
    open_ones = {(row.id, part): (row, score) for row, part, score in issuable(session, result_list)}
    if not chosen:
        raise Refused("nobody", "请先勾选要出具证明的成绩。")
    if wrong := set(chosen) - open_ones.keys():
        raise Refused("not_issuable", f"勾选的成绩中有 {len(wrong)} 项没有合格、不是本次考核取得的，或已有证明。请刷新页面重新勾选。")
    until = years_later(plan.starts_on, pack_for(session, plan.institution).make_up_years)
    standard = plan.standard
    for key in dict.fromkeys(chosen):
        row, score = open_ones[key]
        candidate = row.enrolment.candidate
        session.add(ScoreProof(
            result=row, part=key[1], code=_code(), holder=candidate.name, identity_masked=candidate.identity_masked or "",
            occupation=standard.occupation.name, occupation_code=standard.occupation.code, work_type=standard.work_type,
            level=plan.level, half_points=score, achieved_on=plan.starts_on, valid_until=until, plan_number=plan.number,
            issuer=plan.institution.name, issued_by=who.account_id, issued_at=now))
    session.flush()
    return len(set(chosen))


def revoke(session: Session, proof: ScoreProof, reason: str, who: Viewer, *, now: datetime) -> None:
    """The proof stays findable as revoked."""
    require(session, proof.result.list.plan, who, Role.EXAM_OFFICER)
    if proof.revoked_at is not None:
        raise Refused("already_revoked", f"这份证明已于 {spoken(proof.revoked_at)} 作废。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请写明作废的原因。")
    proof.revoked_at, proof.revoked_why = now, reason.strip()[:500]
    session.flush()


def of_list(session: Session, result_list: ResultList) -> Sequence[ScoreProof]:
    """Every proof of a list, newest first."""
    return session.scalars(sa.select(ScoreProof).join(ScoreProof.result).where(Result.list_id == result_list.id)
                           .order_by(ScoreProof.id.desc())).all()


def look_up(session: Session, code: str, name: str, address: str, *, now: datetime) -> ScoreProof | None:
    """The proof with this code, if it is made out to ``name``; a wrong name and a wrong code answer alike."""
    visits.check_look_up(session, visits.VisitKind.PROOF, address, now=now)
    letters = "".join(letter for letter in code.upper() if letter.isalnum())[:16]
    asked = "-".join(letters[start:start + 4] for start in range(0, len(letters), 4))
    found = session.scalar(sa.select(ScoreProof).where(ScoreProof.code == asked)) if len(letters) == 16 else None
    if found is not None and "".join(found.holder.split()) != "".join(name.split()):
        found = None
    visits.note(session, visits.VisitKind.PROOF, asked, address, found=found is not None, now=now)
    return found


def draw(proof: ScoreProof, public_url: str, *, made_at: datetime) -> bytes:
    """The PDF, drawn from the row each time."""
    address = f"{public_url}/results/proof"
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {
        "holder": proof.holder, "identity": proof.identity_masked, "occupation": proof.occupation, "work_type": proof.work_type or "—",
        "code": proof.code, "level": LEVEL_NAMES[proof.level], "part": proof.part, "points": spoken_points(proof.half_points),
        "achieved_on": spoken(proof.achieved_on), "valid_until": spoken(proof.valid_until), "plan": proof.plan_number,
        "issuer": proof.issuer, "issued_on": spoken(proof.issued_at).split(" ")[0], "address": address,
        "occupation_code": proof.occupation_code, "qr": qr_code(f"{address}?{urlencode({'code': proof.code})}"),
        "revoked": f"已于 {spoken(proof.revoked_at)} 作废" if proof.revoked_at else "",
    }, made_at=made_at)


def _code() -> str:
    letters = [secrets.choice(LETTERS) for _ in range(16)]
    return "-".join("".join(letters[start:start + 4]) for start in range(0, 16, 4))
