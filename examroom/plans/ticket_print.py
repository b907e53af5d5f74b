"""准考证 as a PDF: of one candidate, or of a whole plan; only for who passed the 资格审核."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path

import sqlalchemy as sa
from PIL import Image, ImageOps
from pypdf import PdfWriter
from sqlalchemy.orm import Session

from examroom.plans import codes, persons, qualification
from examroom.plans.models import CandidatePhoto, Enrolment, ExamPlan, PlanState, Seat
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.printing import drawing, qr_code, typeset
from qbank.kernel.refused import Refused
from qbank.kernel.times import local, spoken
from qbank.standards.models import LEVEL_NAMES

TEMPLATE = Path(__file__).with_name("ticket.typ")
AT_ONCE = 25
PHOTO = (354, 472)  # pixels: 300 to the inch at 30 × 40 mm
RULES = (
    "凭本证和有效身份证件原件，开考前 15 分钟起入场，对号入座，主动配合监考员核验身份。",
    "在考试页扫描或输入考试码登录，也可以用准考证号和证件号码登录；核对屏幕上的姓名和座号。",
    "不得携带手机、智能手表等电子设备和书籍、纸张入座；考试中不得交谈、传递物品。",
    "答案随时自动保存；设备故障时举手，由监考员处理，不要自行换座、关机。",
    "交卷后确认页面显示“已交卷”再离场。操作技能考核按通知的时间、地点参加，并遵守安全操作规程。",
    "违反考场纪律的，按规定取消成绩并记录。",
)
Line = tuple[datetime, str, str, str]  # when, what, where, which seat
Announced = Callable[[Session, Sequence[int]], Mapping[int, Sequence[Line]]]
ANNOUNCED: list[Announced] = []


def register(announced: Announced) -> Announced:
    """``announced(session, enrolment_ids)``: what a room above has arranged for candidates (practical groups, panels)."""
    ANNOUNCED.append(announced)
    return announced


def require_ready(plan: ExamPlan, enrolments: Sequence[Enrolment]) -> None:
    """Refuse before the plan is approved, for nobody, and for who is not accepted."""
    if plan.state != PlanState.APPROVED:
        raise Refused("plan_not_approved", f"方案{plan.state.chinese}，批准后才能打印准考证。")
    if not enrolments:
        raise Refused("nobody", "没有资格审核通过的考生，不能打印准考证。请先审核报名。")
    qualification.require_accepted(enrolments)


def draw_all(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], *, key: bytes, cipher: IdentityCipher, now: datetime,
             progress: Callable[[int, int], None] = lambda done, total: None) -> bytes:
    """One PDF of many; made in parts, because a thousand photos at once take two gigabytes."""
    require_ready(plan, enrolments)
    joined, stream = PdfWriter(), BytesIO()
    for start in range(0, len(enrolments), AT_ONCE):
        joined.append(BytesIO(draw(session, plan, enrolments[start:start + AT_ONCE], key=key, cipher=cipher, now=now)))
        progress(min(start + AT_ONCE, len(enrolments)), len(enrolments))
    joined.write(stream)
    joined.close()
    return stream.getvalue()


def draw(session: Session, plan: ExamPlan, enrolments: Sequence[Enrolment], *, key: bytes, cipher: IdentityCipher, now: datetime) -> bytes:
    """One PDF, a page for each candidate."""
    require_ready(plan, enrolments)
    lines = _lines(session, enrolments)
    photos = _photos(session, enrolments)
    work_type = f"（{plan.standard.work_type}）" if plan.standard.work_type else ""
    held = {"title": f"准考证 {plan.number}", "heading": "职业技能等级认定", "school": plan.institution.name, "plan": plan.number,
            "occupation": f"{plan.standard.occupation.name}{work_type}", "level": LEVEL_NAMES[plan.level], "rules": RULES,
            "contact": f"联系：{plan.contact}" if plan.contact else "", "printed": f"{local(now):%Y-%m-%d %H:%M}",
            "tickets": [_ticket(one, lines[one.id], photos.get(one.photo_id or 0, ""), key, cipher) for one in enrolments]}
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"tickets": json.dumps(held, ensure_ascii=False)}, made_at=now,
                   tagged=len(enrolments) == 1)


def _ticket(one: Enrolment, lines: Sequence[Line], photo: str, key: bytes, cipher: IdentityCipher) -> dict[str, object]:
    account, code = one.candidate, codes.make(key, one.id, one.code_issue)
    number = cipher.decrypt(account.identity_cipher) if account.identity_cipher else ""
    schedule = [{"part": part, "time": spoken(at), "place": place, "seat": seat} for at, part, place, seat in lines]
    return {"ticket": one.ticket_number, "name": account.name, "sex": persons.sex(one, number), "kind": account.identity_kind.chinese,
            "number": account.identity_masked or "", "class": one.class_name or "—", "student": one.student_number or "—", "photo": photo,
            "qr": str(qr_code(code)), "code": codes.grouped(code),
            "schedule": schedule or [{"part": "—", "time": "另行通知", "place": "—", "seat": "—"}]}


def _lines(session: Session, enrolments: Sequence[Enrolment]) -> dict[int, list[Line]]:
    """What each is to sit, in the order of time: seats of theory sittings, and what rooms above have arranged."""
    found = {one.id: [_sitting_line(seat) for seat in one.seats] for one in enrolments}
    for announced in ANNOUNCED:
        for key, lines in announced(session, list(found)).items():
            found[key] += lines
    return {key: sorted(lines) for key, lines in found.items()}


def _sitting_line(seat: Seat) -> Line:
    sitting = seat.sitting_room.sitting
    return sitting.starts_at, f"理论知识\n{sitting.minutes} 分钟", f"{sitting.name}　{seat.sitting_room.room.name}", f"{seat.number} 号"


def _photos(session: Session, enrolments: Sequence[Enrolment]) -> dict[int, str]:
    """Photo → drawing, no larger than it is printed."""
    wanted = sorted({one.photo_id for one in enrolments if one.photo_id})
    found: dict[int, str] = {}
    for start in range(0, len(wanted), 100):
        rows = session.execute(sa.select(CandidatePhoto.id, CandidatePhoto.content).where(CandidatePhoto.id.in_(wanted[start:start + 100])))
        found |= {key: drawing(_reduced(content), "image/jpeg").svg for key, content in rows}
    return found


def _reduced(content: bytes) -> bytes:
    stream = BytesIO()
    with Image.open(BytesIO(content)) as opened:
        opened.draft("RGB", PHOTO)
        upright = ImageOps.exif_transpose(opened).convert("RGB")
        upright.thumbnail(PHOTO)
        upright.save(stream, "JPEG", quality=88)
    return stream.getvalue()
