"""What else a school's office does around an exam: fees, blank certificates, the report and its receipt, paper files, a hearing."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy.orm import Session

from examroom.plans import costs, fees, ties
from examroom.plans.fee_models import FeeKind
from examroom.plans.models import ExamPlan
from examroom.plans.tie_models import TieKind
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.export import Table, workbook
from qbank.kernel.times import local_date
from scoring.api import tokens
from scoring.archive import filed, keeping, videos
from scoring.archive.videos import Recording
from scoring.certificates import receipts, report, stock
from scoring.certificates.report_models import BatchKind
from scoring.results import misconduct
from scoring.results.case_models import Misconduct
from scoring.results.merge import THEORY
from scoring.results.models import ResultList
from seed.stage import Stage

FEE = fees.Amounts(6000, 16000)  # in fen
PLACE = "档案室 3 柜 12 盒"


def charge(stage: Stage, plan_id: int) -> None:
    """The fee is published with its filing, everybody is charged; one is exempt, one has yet to pay."""
    at = stage.days(-70)
    with stage.acting("officer", at) as (session, who):
        plan = session.get_one(ExamPlan, plan_id)
        fees.publish_fee(session, plan.institution, plan.standard, plan.level, FEE, who, basis="参考示例，请按当地鉴定考试收费标准填写",
                         filed_with="（演示）发展和改革委员会", filing_reference="演示备〔2026〕1号", valid_from=local_date(at), now=at)
        fees.charge_all(session, plan, who, now=at)
        exempt, _, *paying = [one.candidate for one in plan.enrolments]
        fees.enter(session, plan, exempt, FeeKind.WAIVER, FEE.theory + FEE.practical, who, note="脱贫家庭学生，凭证明减免（示例）", now=at)
        for person in paying:
            fees.enter(session, plan, person, FeeKind.PAYMENT, FEE.theory + FEE.practical, who, now=at)
        costs.enter_cost(session, plan, "考务人员劳务", 300_000, who, note="监考员 2 人、考评员 3 人，2 天", now=at)
        costs.enter_cost(session, plan, "材料耗材", 120_000, who, note="导线、熔断器、接线端子", now=at)
        teacher = session.get_one(Account, stage.account_id(session, "assessor4"))
        ties.declare(session, plan.institution, teacher, TieKind.RELATIVE, who, candidate=exempt, note="叔侄（示例）", now=at)


def hand_out(stage: Stage, session: Session, issued: ResultList, who: Viewer, day: float) -> None:
    """Blank certificates received, printed on and counted, one of them spoilt; the list reported, one row sent back by the centre."""
    school, now = issued.plan.institution, stage.days(day)
    stock.receive(session, school, "HN000001", "HN000200", "省鉴定中心领取，领取单 2026-15，交接人王敏", who, now=now)
    stock.print_on(session, issued, "HN000001", who, now=now)
    stock.ask_to_spoil(session, school, "HN000150", "", "裁切破损，已剪角封存", who, now=now)
    stock.count(session, school, stock.balance(session, school.id).in_stock, "李保管", "", who, now=now)
    batch = report.make_batch(session, issued, BatchKind.NEW, who, cipher=stage.cipher, now=now)
    rows = [(line.certificate.number, "不通过" if line.row == 2 else "通过", "照片不合规范" if line.row == 2 else "") for line in batch.lines]
    answer = workbook([Table("回执", [("证书编号", 26), ("校验结果", 10), ("原因", 20)], rows)])
    receipts.read(session, batch, "回执.xlsx", answer, who, cipher=stage.cipher, now=stage.days(day, hours=5))


def file_away(session: Session, stage: Stage, plan: ExamPlan, who: Viewer, day: float) -> None:
    """What lies on paper, and what the camera recorded."""
    now = stage.days(day)
    filed.file_document(session, plan, "notice", who, title=f"关于{plan.title}的公告", place=PLACE, pages=4, now=now)
    filed.file_document(session, plan, "invigilators", who, place=PLACE, pages=2, now=now)
    filed.file_document(session, plan, "rooms", who, place=PLACE, pages=3, now=now)
    for sitting in plan.sittings:
        path = f"{plan.starts_on.year}/{plan.number}/机房-前.mp4"
        videos.register(session, plan, Recording(f"{sitting.name} 前摄像头", sitting.starts_at, sitting.ends_at, path,
                                                 hashlib.sha256(path.encode()).hexdigest(), 734_003_200), who, now=now)


def keep_for_inquiry(stage: Stage, plan_id: int, day: float) -> None:
    with stage.acting("city", stage.days(day)) as (session, who):
        keeping.hold(session, session.get_one(ExamPlan, plan_id), who, "演示监〔2026〕3号 信访核查：核查期间封存保留", now=stage.days(day))


def hear(stage: Stage, plan_id: int) -> None:
    """A candidate is said to have looked at a phone; he has answered, and the second officer is to decide."""
    at = stage.now - timedelta(hours=20)
    with stage.acting("officer", at) as (session, who):
        accused = session.get_one(ExamPlan, plan_id).enrolments[5]
        case = misconduct.propose(session, accused, "一般违纪", THEORY, who, happened_on=local_date(at - timedelta(days=1)), now=at,
                                  evidence="理论考试开考约 30 分钟时，监考员发现其在桌下查看手机，手机已由监考员暂存，见考场情况记录单。")
        misconduct.tell(session, case, who, now=at)
        case_id, login = case.id, accused.candidate.login
    with stage.acting(login, at + timedelta(hours=15)) as (session, who):
        misconduct.state(session, session.get_one(Misconduct, case_id), "手机是忘记上交，看的是家里的来电，没有看与考试有关的内容。",
                         who, now=at + timedelta(hours=15))


def connect_platform(stage: Stage) -> None:
    """The city's supervision platform may read what the city may; its secret is shown to nobody here."""
    with stage.acting("city", stage.days(-30)) as (session, who):
        tokens.issue(session, "星城市职业技能评价监管平台（演示）", ["plans", "results", "certificates"], who, region="4301", days=365, now=stage.days(-30))

