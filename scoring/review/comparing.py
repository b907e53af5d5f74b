"""The search of papers for passages from earlier hand-ins of all years: a job, its findings, the side-by-side view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel import jobs
from qbank.kernel.access import Role, Viewer
from qbank.kernel.attachments import path_of
from qbank.kernel.refused import Refused
from scoring.practical.duties import require
from scoring.review import overlap, reading
from scoring.review.handin_models import OverlapCheck, OverlapHit, Submission, SubmissionKind, SubmissionText

MOST_HITS = 10
KIND = "review.overlap"


def newest_papers(session: Session, plan: ExamPlan | None = None) -> list[Submission]:
    """The paper that counts of every candidate (of ``plan``): the newest version."""
    newest = (sa.select(sa.func.max(Submission.id)).where(Submission.kind == SubmissionKind.PAPER)
              .group_by(Submission.enrolment_id))
    query = sa.select(Submission).where(Submission.id.in_(newest)).order_by(Submission.id)
    if plan is not None:
        query = query.join(Submission.enrolment).where(Enrolment.plan_id == plan.id)
    return list(session.scalars(query))


def order_check(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> jobs.Job:
    """Have all papers of a plan compared."""
    require(session, plan, who, Role.EXAM_OFFICER)
    papers = newest_papers(session, plan)
    if not papers:
        raise Refused("no_papers", "本计划还没有考生提交技术总结或论文，不用查重。")
    return jobs.enqueue(session, KIND, {"plan_id": plan.id, "submission_ids": [one.id for one in papers]}, who, now=now)


@jobs.kind(KIND, "技术总结（论文）文字重合检查")
def run(work: jobs.Work) -> str:
    """Read what was never read, compare each paper, and store the findings; long work outside any write."""
    wanted = [int(key) for key in work.arguments["submission_ids"]]
    with work.reading() as session:
        unread = session.scalars(sa.select(Submission.id).where(
            Submission.id.in_([one.id for one in newest_papers(session)] + wanted),
            Submission.id.not_in(sa.select(SubmissionText.submission_id)))).all()
    total = len(unread) + len(wanted)
    for done, key in enumerate(unread):
        work.progress(done, total, "正在提取文字")
        with work.reading() as session:
            made = extracted(session, session.get_one(Submission, key))
        with work.transaction() as session:
            read(session, session.get_one(Submission, key), made)
    for done, key in enumerate(wanted, len(unread)):
        work.progress(done, total, "正在比对")
        with work.reading() as session:
            found = compare(session, session.get_one(Submission, key), now=work.now())
        with work.transaction() as session:
            session.add(found)
    return url_for_plan(int(work.arguments["plan_id"]))


def url_for_plan(plan_id: int) -> str:
    return f"/review/plans/{plan_id}/hand-ins"


def extracted(session: Session, submission: Submission) -> SubmissionText:
    """The words of one paper, which may take a minute. Not yet stored."""
    try:
        text, problem = reading.words(path_of(session, submission.attachment), submission.attachment.media_type)
    except Refused as refusal:  # the file is gone
        text, problem = "", refusal.sentence
    return SubmissionText(submission_id=submission.id, text=text, problem=problem)


def read(session: Session, submission: Submission, made: SubmissionText | None = None) -> SubmissionText:
    """The words of one paper, read at most once; ``made`` before the transaction, if they are long."""
    found = session.scalar(sa.select(SubmissionText).where(SubmissionText.submission_id == submission.id))
    if found is None:
        found = made or extracted(session, submission)
        session.add(found)
        session.flush()
    return found


def compare(session: Session, submission: Submission, *, now: datetime) -> OverlapCheck:
    """One paper against the newest of every other candidate, of any school and year. Not yet stored."""
    own = session.scalars(sa.select(SubmissionText).where(SubmissionText.submission_id == submission.id)).one()
    checked = overlap.Checked(own.text)
    others = [one.id for one in newest_papers(session) if one.enrolment_id != submission.enrolment_id]
    shared: list[overlap.Passage] = []
    hits = []
    texts = session.execute(sa.select(SubmissionText.submission_id, SubmissionText.text)
                            .where(SubmissionText.submission_id.in_(others)).execution_options(yield_per=50))
    for other_id, text in texts:
        if found := checked.passages(overlap.reduce(text)):
            shared += found
            hits.append(OverlapHit(other_id=other_id, permille=checked.share(found), longest=max(one.length for one in found)))
    hits.sort(key=lambda one: (-one.permille, one.other_id))
    return OverlapCheck(submission_id=submission.id, at=now, compared=len(others), permille=checked.share(shared),
                        problem=own.problem, hits=hits[:MOST_HITS])


def newest_checks(session: Session, submissions: Sequence[Submission]) -> dict[int, OverlapCheck]:
    """Submission id → its last comparison."""
    last = (sa.select(sa.func.max(OverlapCheck.id)).where(OverlapCheck.submission_id.in_([one.id for one in submissions]))
            .group_by(OverlapCheck.submission_id))
    return {one.submission_id: one for one in session.scalars(sa.select(OverlapCheck).where(OverlapCheck.id.in_(last)))}


def side_by_side(session: Session, hit: OverlapHit) -> tuple[str, str, list[overlap.Passage]]:
    """Both texts and where they agree."""
    texts = dict(session.execute(sa.select(SubmissionText.submission_id, SubmissionText.text).where(
        SubmissionText.submission_id.in_([hit.check.submission_id, hit.other_id]))).all())
    mine, other = texts.get(hit.check.submission_id, ""), texts.get(hit.other_id, "")
    return mine, other, overlap.Checked(mine).passages(overlap.reduce(other))
