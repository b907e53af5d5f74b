"""Rules of the task bank: a task is written in versions, each approved by another person before a draw may use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing.duties import require_duty
from qbank.items.markup import formula_problems
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical.bank_models import PracticalTask, TaskAttachment, TaskState, TaskVersion
from scoring.practical.rubrics import RowDraft, change_rubric, drafts_of, make_rubric
from scoring.practical.structure_models import PracticalModule, StructureState

Line = tuple[str, str, str, str, str]  # 名称, 规格, 单位, 数量, 备注
MOST_LINES = 100
MOST_ATTACHMENTS = 10
LONGEST = 20_000


@dataclass(frozen=True)
class TaskText:
    """What the three papers say apart from the rubric."""

    title: str
    minutes: int
    body: str = ""
    demands: str = ""
    school_note: str = ""
    school_list: tuple[Line, ...] = ()
    candidate_note: str = ""
    candidate_list: tuple[Line, ...] = ()


def text_of(version: TaskVersion) -> TaskText:
    return TaskText(version.title, version.minutes, version.body, version.demands, version.school_note,
                    _lines(version.school_list), version.candidate_note, _lines(version.candidate_list))


def add_task(session: Session, module: PracticalModule, code: str, text: TaskText, who: Viewer, *, option: str = "",
             rows: Sequence[RowDraft] | None = None, now: datetime) -> TaskVersion:
    """A new task of a module in force, with a rubric over the module's weight."""
    structure = module.structure
    _require(session, structure.institution_id, structure.table.standard.occupation.code, who, Role.ITEM_AUTHOR)
    if structure.state is not StructureState.IN_FORCE:
        raise Refused("not_in_force", "试题要写在启用的结构表的模块里，请先启用结构表。")
    _check_unit(module, option)
    _check(text)
    task = PracticalTask(institution_id=structure.institution_id, table=structure.table, module=module, option=option,
                         code=_free_code(session, structure.institution_id, code), created_by=who.account_id)
    session.add(task)
    return _add_version(session, task, text, who, rows, now)


def change_task(session: Session, version: TaskVersion, text: TaskText, who: Viewer) -> None:
    """Write the text of a draft anew."""
    _check_open(session, version, who)
    _check(text)
    for name, value in _columns(text).items():
        setattr(version, name, value)
    session.flush()


def move_task(session: Session, task: PracticalTask, option: str, who: Viewer) -> None:
    """Put a task under another unit of its module."""
    _require_author(session, task, who)
    _check_unit(task.module, option)
    task.option = option
    session.flush()


def submit(session: Session, version: TaskVersion, who: Viewer, *, now: datetime) -> None:
    """Hand a draft to the reviewers."""
    _check_open(session, version, who)
    if missing := [name for name, held in (("考核内容", version.body), ("考场准备", version.school_note or version.school_list)) if not held]:
        raise Refused("incomplete", f"还缺{'、'.join(missing)}，请补充后再送审。")
    if not fits(version):
        raise Refused("other_weights", "评分表与模块现在的比重不一致（结构表换过版）。请修改评分表后再送审。")
    version.state, version.submitted_at = TaskState.SUBMITTED, now
    session.flush()


def review(session: Session, version: TaskVersion, who: Viewer, approves: bool, comment: str, *, now: datetime) -> None:
    """The second person's decision. The approved version takes the place of the one before it in draws."""
    task = version.task
    _require(session, task.institution_id, task.table.standard.occupation.code, who, Role.ITEM_REVIEWER)
    if version.state is not TaskState.SUBMITTED:
        raise Refused("not_submitted", f"这一版现在是“{version.state.chinese}”，不在待审中，请刷新页面。")
    if who.account_id == version.created_by:
        raise Refused("own_work", "不能审定自己写的试题，请另一名审题员审定。")
    if not approves and not comment.strip():
        raise Refused("no_comment", "退回时请写明需要修改什么。")
    version.reviewed_by, version.reviewed_at, version.comment = who.account_id, now, comment.strip()[:2000]
    version.state = TaskState.APPROVED if approves else TaskState.RETURNED
    if approves:
        version.rubric.frozen = True
        for one in task.versions:
            if one is not version and one.state is TaskState.APPROVED:
                one.state = TaskState.RETIRED
    session.flush()


def revise(session: Session, version: TaskVersion, who: Viewer, *, now: datetime) -> TaskVersion:
    """The next version as a draft: the same text, rubric and attachments. Only one draft at a time."""
    task = version.task
    _require_author(session, task, who)
    if task.latest.state in {TaskState.DRAFT, TaskState.SUBMITTED}:
        raise Refused("has_draft", f"第 {task.latest.number} 版还是“{task.latest.state.chinese}”，请先办完它。")
    rows = drafts_of(version.rubric) if fits(version) else None
    made = _add_version(session, task, text_of(version), who, rows, now)
    made.attachments = [TaskAttachment(attachment_id=one.attachment_id, position=one.position, caption=one.caption)
                        for one in version.attachments]
    session.flush()
    return made


def retire(session: Session, version: TaskVersion, who: Viewer) -> None:
    """Keep an approved version out of later draws."""
    _require_author(session, version.task, who)
    if version.state is not TaskState.APPROVED:
        raise Refused("not_approved", "只有已审定的版本可以停用。")
    version.state = TaskState.RETIRED
    session.flush()


def fits(version: TaskVersion) -> bool:
    """Whether the rubric sums to what the task's module weighs now."""
    return version.rubric.targets == version.task.module.portions


def change_rows(session: Session, version: TaskVersion, rows: Sequence[RowDraft], who: Viewer) -> None:
    """Write the rubric of a draft anew, over the module's present weight."""
    _check_open(session, version, who)
    version.rubric.targets, version.rubric.full = dict(version.task.module.portions), version.task.module.weight
    change_rubric(session, version.rubric, version.rubric.name, rows, who)


# Attachments

def attach(session: Session, version: TaskVersion, upload: FileStorage | None, caption: str, who: Viewer, *,
           now: datetime) -> TaskAttachment:
    """Add a drawing or data sheet to a draft; pictures are printed in the paper."""
    _check_open(session, version, who)
    if len(version.attachments) >= MOST_ATTACHMENTS:
        raise Refused("too_many_files", f"一道试题最多 {MOST_ATTACHMENTS} 个附件，请先删除不用的。")
    held = attachments.keep(session, upload, who, now=now)
    position = max((one.position for one in version.attachments), default=0) + 1
    made = TaskAttachment(attachment=held, position=position, caption=caption.strip()[:200])
    version.attachments.append(made)
    session.flush()
    return made


def detach(session: Session, found: TaskAttachment, who: Viewer) -> None:
    """Take an attachment off a draft; the file stays with the versions that have it."""
    _check_open(session, found.version, who)
    found.version.attachments.remove(found)
    session.flush()


# What holds for all of it

def _add_version(session: Session, task: PracticalTask, text: TaskText, who: Viewer, rows: Sequence[RowDraft] | None,
                 now: datetime) -> TaskVersion:
    _check(text)
    number = len(task.versions) + 1
    rubric = make_rubric(session, task.table, task.institution_id, f"{task.code} 第 {number} 版 评分表", who, rows,
                         task.module.portions)
    made = TaskVersion(number=number, rubric=rubric, created_by=who.account_id, created_at=now, **_columns(text))
    task.versions.append(made)
    session.flush()
    return made


def _columns(text: TaskText) -> dict[str, object]:
    held = asdict(text)
    return {**held, "title": text.title.strip(), "school_list": [list(one) for one in text.school_list],
            "candidate_list": [list(one) for one in text.candidate_list]}


def _lines(stored: Sequence[Sequence[str]]) -> tuple[Line, ...]:
    return tuple((one[0], one[1], one[2], one[3], one[4]) for one in stored)


def _check(text: TaskText) -> None:
    if not text.title.strip() or len(text.title.strip()) > 200:
        raise Refused("no_title", "请填写试题名称（不超过 200 字）。")
    if not 1 <= text.minutes <= 1440:
        raise Refused("no_minutes", "考核时间应为 1 到 1440 分钟。")
    if max(len(one) for one in (text.body, text.demands, text.school_note, text.candidate_note)) > LONGEST:
        raise Refused("too_long", f"每段文字不超过 {LONGEST} 字，请精简或改为附件。")
    if max(len(text.school_list), len(text.candidate_list)) > MOST_LINES:
        raise Refused("too_many_lines", f"准备清单最多 {MOST_LINES} 行，请合并。")
    if found := [problem for part in (text.body, text.demands) for problem in formula_problems(part)]:
        raise Refused("bad_markup", "文字的写法有误，请按下面修改。", found)


def _check_unit(module: PracticalModule, option: str) -> None:
    if option not in (module.options or [""]):
        raise Refused("no_unit", f"“{module.name}”是{module.choice}，请选择试题属于哪个考核单元。" if module.options
                      else f"“{module.name}”是必考模块，不分考核单元。")


def _free_code(session: Session, institution_id: int, code: str) -> str:
    code = code.strip()
    if not code or len(code) > 40:
        raise Refused("no_code", "请填写试题编号（不超过 40 字），例如 DG4-J1-01。")
    if session.scalar(sa.select(PracticalTask.id).where(PracticalTask.institution_id == institution_id, PracticalTask.code == code)):
        raise Refused("code_taken", f"编号“{code}”已经用过，请换一个。")
    return code


def _check_open(session: Session, version: TaskVersion, who: Viewer) -> None:
    _require_author(session, version.task, who)
    if version.state is not TaskState.DRAFT:
        raise Refused("not_a_draft", f"第 {version.number} 版是“{version.state.chinese}”，不能再改。需要修改请“修订为新版本”。")


def _require_author(session: Session, task: PracticalTask, who: Viewer) -> None:
    _require(session, task.institution_id, task.table.standard.occupation.code, who, Role.ITEM_AUTHOR)


def _require(session: Session, institution_id: int, occupation: str, who: Viewer, role: Role) -> None:
    require_duty(session, who, institution_id, role, occupation=occupation)
