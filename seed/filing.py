"""How the school came into the directory: its application, the city's visit, the province's recheck; and what is under way."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session
from stdnum.cn import uscc

from examroom.filing import annexes, application, evaluations, form, materials, ministry, removals, review, rows
from examroom.filing.application import OccupationDraft
from examroom.filing.application_models import Application
from examroom.filing.models import FiledScope
from examroom.filing.standing_models import Evaluation, Removal
from examroom.filing.states import ApplicationKind, Ground, Verdict
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.attachments import from_bytes
from qbank.kernel.printing import typeset
from qbank.kernel.times import local_date, spoken
from qbank.standards.models import Standard
from seed.people import students
from seed.stage import Stage

BODY = "12430100999999999"
CREDIT_CODE = BODY + uscc.calc_check_digit(BODY)  # fictional, with a right check digit
UNIT = {
    "name": "湘江技师学院（演示）", "address": "星城市岳麓区麓山路 1 号", "registration": "星城市事业单位登记管理局", "credit_code": CREDIT_CODE,
    "contact": "刘建平", "post": "鉴定所所长", "landline": "0731-00000000", "mobile": "13800000000",
    "email": "office@example.cn", "rules": "《考务管理制度》等 12 项，见附件",
    "station": "湘江技师学院职业技能鉴定所（演示）", "station_licence": "鉴字 001 号（演示）", "station_since": "2003",
    annexes.STRENGTHS: "主干专业：电气自动化设备安装与维修（省级重点专业）、机电一体化。学院 2003 年设立职业技能鉴定所，连续三年鉴定规模在全市前列；"
                       "有专职考务人员、题库和标准化机房，专业教师中高级技师和高级考评员占三成。",
    annexes.SITES_NOTE: "考场与考核场地同在实训楼，实行封闭管理。", annexes.IT_NOTE: "考试用机房与教学网隔离，监控录像保存在本地服务器。"}
PLAN = {
    "profile": "学院为公办技师学院，在校学生 6200 人，开设电气、机械、信息三个专业群。鉴定所近三年鉴定 3500 人次。",
    "bodies": "院长任领导小组组长，分管副院长任副组长；"
    "鉴定所负责日常工作，教务处、学生处、各专业系配合。", "scope": "面向本院在校学生，开展电工四级、三级、二级技能等级认定。",
    "work": "题库建设、考务组织、考评、结果公示与证书发放，按计划报市鉴定中心审核。", "quality": "考评人员回避和轮换，理论机考、技能考核全程录像；"
    "质量督导员全程监督；成绩两人复核。", "schedule": "每学期认定一至两批；考前 10 个工作日报送考务方案。"}
TABLES: dict[str, list[tuple[str, ...]]] = {
    "sites": [(annexes.OFFICE, "鉴定所办公室", "行政楼 201", "45", "6", "自有"),
              (annexes.PAPERS, "试卷档案保密室", "行政楼 203", "28", "", "自有"),
              (annexes.THEORY_ROOM, "第一机房", "实训楼 3 楼", "120", "30", "自有"), (annexes.THEORY_ROOM, "第二机房", "实训楼 3 楼", "120", "30", "自有"),
              (annexes.WORKSHOP, "电气实训中心", "实训楼 2 楼", "860", "40", "自有")],
    "equipment": [("电工技能实训考核装置", "示例牌", "DG-204", "40", "自有"), ("可编程控制器实训台", "示例牌", "PLC-12", "20", "自有"),
                  ("交直流调速实训台", "示例牌", "JZ-06", "12", "自有"), ("数字示波器", "示例牌", "DS-100", "24", "自有")],
    "it": [(annexes.EXAM_COMPUTERS, "考试用计算机", "示例牌", "PC-7", "62", "第一、第二机房"),
           (annexes.EXAM_COMPUTERS, "考试服务器", "示例牌", "SV-2", "2", "中心机房"),
           (annexes.VIDEO, "高清网络摄像机", "示例牌", "IPC-4", "36", "考场和考核场地"), (annexes.VIDEO, "录像服务器", "示例牌", "NVR-64", "1", "中心机房")],
    "staff": [("刘建平", "所长/高级讲师", "大学本科", "鉴定所全面工作"), ("段雅琴", "考务主管/讲师", "大学本科", "报名、考务、档案"),
              ("何敏", "题库主管/讲师", "研究生", "题库和试卷")],
    "experts": [("彭思源", "某电力设计院", "高级工程师", "研究生", "电气自动化"), ("曾广平", "某装备公司", "高级技师", "大学专科", "电气设备维修")],
    "assessors": [(name, "本校", "高级技师/高级考评员", "大学本科", "电工") for name in ("郑国栋", "冯立群", "曹永康", "龙志远")],
}


def play(stage: Stage) -> None:
    """Filed for levels 4, 3 and 2 two hundred days ago."""
    first = _apply(stage, ApplicationKind.FIRST, (4, 3, 2), stage.days(-249))
    _examine(stage, first)
    _stay(stage)


def go_on(stage: Stage) -> None:
    """After the plans: an evaluation waits for the province's decision, an addition for the city's visit."""
    _evaluate(stage, stage.days(-20))
    _apply(stage, ApplicationKind.ADDITION, (5,), stage.days(-3))


def _apply(stage: Stage, kind: ApplicationKind, levels: tuple[int, ...], at: datetime) -> int:
    with stage.acting("officer", at) as (session, who):
        school, standard = session.scalars(sa.select(Institution).order_by(Institution.id)).first(), session.scalars(sa.select(Standard)).first()
        assert school  # noqa: S101  # founded before
        assert standard  # noqa: S101  # as above
        one = application.begin(session, school, kind, who, now=at)
        application.write_unit(session, one, UNIT, who)
        application.write_plan(session, one, PLAN, who)
        application.set_occupations(session, one, [OccupationDraft(standard, level, "电气自动化设备安装与维修", True) for level in levels], who)
        if not one.rows:
            _tables(stage, session, one, who)
        for paper in annexes.MATERIALS:
            if paper.required:
                content = form.pdf(one, now=at) if paper.key == "form" else _file(paper.title, at)
                materials.add(session, one, paper.key, from_bytes(content, f"{paper.title[:20]}.pdf"), who, now=at)
        application.submit(session, one, who, pledged=True, now=at + timedelta(hours=2))
        return one.id


def _tables(stage: Stage, session: Session, one: Application, who: Viewer) -> None:
    numbers = iter(students(20, seed=47, first=9000))
    for part in annexes.PARTS:
        keys = [field.key for field in part.columns if field.key != "identity"]
        typed = [dict(zip(keys, line, strict=True)) | ({"identity": next(numbers).identity_number} if part.people else {}) for line in TABLES[part.key]]
        rows.write_rows(session, one, part, typed, who, cipher=stage.cipher)


def _file(title: str, at: datetime) -> bytes:
    """A page that says what would stand there."""
    source = '#set text(font: sys.inputs.at("font"), lang: "zh")\n#align(center + horizon, text(size: 20pt, sys.inputs.at("title")))'
    return typeset(source, {"title": f"{title}（演示）"}, made_at=at)


def _examine(stage: Stage, application_id: int) -> None:
    """The city visits and agrees, the province rechecks and consents, the directory goes to the ministry's centre."""
    at = stage.days(-238)
    with stage.acting("city", at) as (session, who):
        one = session.get_one(Application, application_id)
        review.assess(session, one, who, visited_on=local_date(stage.days(-240)), members="谭晓峰、罗正明", opinion="现场与申报材料一致，条件具备。",
                      oks={key: True for key, _, _ in annexes.CHECKS}, notes={"video": "36 路摄像机覆盖两个机房和实训中心"},
                      upload=from_bytes(_file("现场评估记录（签字）", at), "现场评估记录.pdf"), now=at)
        review.pass_on(session, one, who, {row.id: True for row in one.occupations}, {}, "基础条件符合要求，同意备案。", now=at)
    at = stage.days(-205)
    with stage.acting("province", at) as (session, who):
        one = session.get_one(Application, application_id)
        keys = [row.id for row in one.occupations]
        review.decide(session, one, who, dict.fromkeys(keys, True), {}, "复核通过，同意开展高级工、技师等级认定。", consents=keys,
                      valid_from=local_date(stage.days(-200)), now=at)
    at = stage.days(-198)
    with stage.acting("province", at) as (session, who):
        events = ministry.waiting(session, who)
        ministry.report(session, who, [event.id for event in events], reported_on=local_date(at), receipt="演示 1 号", now=at)


def _stay(stage: Stage) -> None:
    """The school once wanted to give up a level, and stayed."""
    at = stage.days(-120)
    with stage.acting("officer", at) as (session, who):
        scope = session.scalars(sa.select(FiledScope).where(FiledScope.level == 3)).one()
        case = removals.propose(session, scope.institution, Ground.OWN_WILL, "三级师资调整，拟停办。", who, scope=scope,
                                upload=from_bytes(_file("停办三级认定的请示", at), "请示.pdf"), now=at)
        key = case.id
    at = stage.days(-112)
    with stage.acting("province", at) as (session, who):
        removals.decide(session, session.get_one(Removal, key), who, False, "学校已补充师资并撤回请示，维持备案。", now=at)


def _evaluate(stage: Stage, at: datetime) -> None:
    """The city's report on the first half year, which the province has not decided on."""
    sections = {"overview": f"自{spoken(local_date(stage.days(-200)))}备案以来，学院按计划开展电工认定。", "organisation": "制度健全，岗位分离，考务资料完整。",
                "quality": "质量督导员全程监督，结果公示无异议。", "problems": "部分考评表签字不及时，已整改。", "advice": "评估合格，建议允许继续开展。"}
    with stage.acting("city", at) as (session, who):
        school = session.scalars(sa.select(Institution).order_by(Institution.id)).first()
        assert school  # noqa: S101  # founded before
        made: Evaluation = evaluations.write(
            session, school, who, starts_on=local_date(stage.days(-200)), ends_on=local_date(stage.days(-21)), verdict=Verdict.QUALIFIED,
            sections=sections, upload=from_bytes(_file("试点总结评估报告（盖章）", at), "评估报告.pdf"), now=at)
        evaluations.report(session, made, who, now=at)
