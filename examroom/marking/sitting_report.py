"""The report of one sitting as people read it: names beside sheets, stems beside numbers, and the same as a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery.models import Sheet
from examroom.marking.models import SittingReport
from examroom.plans.models import Seat, SittingRoom
from qbank.items.models import ItemVersion
from qbank.kernel.access import Viewer, visible
from qbank.kernel.times import spoken
from qbank.statistics import integrity, reports
from qbank.statistics.form_document import distribution_section, figures_section
from qbank.statistics.models import FormStatistic, ItemStatistic
from qbank.statistics.reports import Figure
from qbank.statistics.reports_print import Document, Section
from qbank.statistics.verdicts import suppressed

NO_VERDICT = "本报告列出的是值得核查的线索，不是结论。雷同、偏快都可能有正当原因；处理任何人之前，必须核对监控、座位、机位日志并听取本人说明。"
REASONS = {integrity.NEGATIVE: "水平高的考生更容易答错", integrity.BEATEN: "高分考生中选干扰项的比选答案的多",
           integrity.OUTSHONE: "有干扰项比答案更能区分考生", integrity.NOBODY: "没有人选答案"}
JUDGED = {"T": "√", "F": "×"}
GROUPS = {"class": "班级", "room": "考场"}


@dataclass(frozen=True)
class Person:
    """Who a sheet belongs to."""

    name: str
    ticket: str
    room: str
    seat: int

    def __str__(self) -> str:
        return f"{self.name}（{self.room} {self.seat} 号）"


@dataclass(frozen=True, eq=False)
class SittingPage:
    """A report with everything that its page needs."""

    report: SittingReport
    found: Mapping[str, Any]
    people: Mapping[int, Person]
    stems: Mapping[int, str]
    figures: tuple[Figure, ...]
    minimum: int

    def person(self, sheet_id: int) -> str:
        return str(self.people.get(sheet_id, f"答卷 {sheet_id}"))


def reasons(one: Mapping[str, Any]) -> str:
    return "；".join(REASONS.get(reason, reason) for reason in one["reasons"])


def page_of(session: Session, report: SittingReport, viewer: Viewer, minimum: int) -> SittingPage:
    """Names are looked up for this viewer."""
    found = report.found
    similar, fast = found["similarity"]["rows"], found["times"]["rows"]
    sheets = {row[name] for row in similar for name in ("first", "second")} | {row["sheet"] for row in fast}
    rows = session.scalars(visible(Sheet, viewer).where(Sheet.sitting_id == report.sitting_id, Sheet.id.in_(sheets)).options(
        joinedload(Sheet.enrolment), joinedload(Sheet.seat).joinedload(Seat.sitting_room).joinedload(SittingRoom.room)))
    people = {sheet.id: Person(sheet.enrolment.candidate.name, sheet.enrolment.ticket_number, sheet.seat.sitting_room.room.name,
                               sheet.seat.number) for sheet in rows}
    versions = [row["version"] for row in found["table"]]
    stems = dict(session.execute(sa.select(ItemVersion.id, ItemVersion.stem).where(ItemVersion.id.in_(versions))).all())
    return SittingPage(report, found, people, stems, tuple(_figures(session, report, minimum)), minimum)


def _figures(session: Session, report: SittingReport, minimum: int) -> list[Figure]:
    found, n = report.found, report.n
    figures = reports.score_figures(found["figures"], n, found["mean"], found["sd"], found["items"], minimum)
    if not figures:
        return []
    form = session.scalars(sa.select(FormStatistic).where(FormStatistic.paper_id == report.sitting.paper_id)
                           .order_by(FormStatistic.id.desc()).limit(1)).one_or_none()
    if form is None:
        return [*figures, *reports.consistency_figures(found["figures"], {}, n)]
    stored = {row.version_id: row for row in session.scalars(sa.select(ItemStatistic).where(ItemStatistic.run_id == form.run_id))}
    calibration = reports.calibration_of([stored.get(version) for version in form.versions])
    return [*figures, *reports.consistency_figures(found["figures"], reports.lee(calibration, form.run, n, minimum), n),
            *reports.equated_figures(form.figures, form.n)]


def document(page: SittingPage) -> Document:
    """For paper and for Excel."""
    report, sitting = page.report, page.report.sitting
    facts = [("考务方案", sitting.plan.title), ("场次", sitting.name), ("试卷", "、".join(paper.name for paper in sitting.papers)),
             ("有效答卷", f"{report.n} 份"), ("计算时间", spoken(report.made_at))]
    notes = [NO_VERDICT]
    sections = [_keys(page), *_integrity(page), _fairness(page), _leaks(page)]
    if report.n >= page.minimum:
        sections = [figures_section(page.figures), distribution_section(tuple(page.found["distribution"])), *sections, _items(page)]
    else:
        notes.append(f"{suppressed(report.n, page.minimum)}，不列出统计值。")
    return Document(f"场次统计报告：{sitting.name}", facts, sections, notes)


def _keys(page: SittingPage) -> Section:
    rows = [[one["number"], page.stems.get(one["version"], "")[:40], _letters(one["key"]), _letters(one["option"]), reasons(one),
             "不是偶然" if one["certain"] else "可能是偶然"] for one in page.found["keys"]]
    return Section("疑似错误答案", (("题号", 6), ("题干", 40), ("答案", 7), ("像答案的", 8), ("理由", 40), ("把握", 10)), rows,
                   [] if rows else ["没有发现疑似错误的答案。"])


def _integrity(page: SittingPage) -> list[Section]:
    similar, fast = page.found["similarity"], page.found["times"]
    pairs = [[page.person(row["first"]), page.person(row["second"]), row["matches"], round(row["expected"], 1), row["identical_wrong"],
              f"{row['adjusted_p']:.1e}", "相邻" if row["adjacent"] else ""] for row in similar["rows"]]
    quick = [[page.person(row["sheet"]), row["answered"], row["impossible"], row["rapid"], row["rapid_right"], unusual(row)]
             for row in fast["rows"]]
    return [
        Section("答卷雷同", (("考生一", 24), ("考生二", 24), ("相同题数", 9), ("预期相同", 9), ("相同错答", 9), ("校正后 p", 11), ("座位", 7)),
                pairs, [similarity_words(similar)]),
        Section("作答时间", (("考生", 24), ("有时间的题", 10), ("不足 1 秒", 9), ("过快", 7), ("过快而答对", 10), ("提示", 30)), quick,
                [times_words(fast)]),
    ]


def unusual(row: Mapping[str, Any]) -> str:
    """Why a person stands in the list of times."""
    found = ["快得来不及读题" if row["impossible"] else "",
             "过快的题大多答对，可能事先知道答案" if (row["rapid_right_p"] or 1) <= 0.01 else "",
             "各题用时的节奏与众不同" if (row["unusual_p"] or 1) <= 0.01 else ""]
    return "；".join(part for part in found if part)


def similarity_words(similar: Mapping[str, Any]) -> str:
    """How many pairs were compared, and what came of it."""
    if similar["reason"]:
        return f"没有做雷同分析：考生不足 {similar['from']} 人或没有可比的考生。"
    said = f"比较了同考场的 {similar['pairs']} 对答卷（其中座位号相邻 {similar['adjacent_pairs']} 对），按对数校正后 p 不超过 {similar['level']:g} 的列出。"
    if not similar["rows"]:
        return f"{said}没有发现异常雷同。"
    beside = sum(row["adjacent"] for row in similar["rows"])
    return f"{said}列出 {len(similar['rows'])} 对，其中座位相邻 {beside} 对。系统只知道座位号，不知道前后排。"


def times_words(fast: Mapping[str, Any]) -> str:
    if fast["known"] < 0.2:
        return f"只有 {100 * fast['known']:.0f}% 的作答有单独的保存时间（离线补传的没有），不做时间分析。"
    said = f"{100 * fast['known']:.0f}% 的作答有单独的保存时间。"
    return f"{said}没有发现来不及读题的作答。" if not fast["rows"] else f"{said}列出 {len(fast['rows'])} 人。"


def _fairness(page: SittingPage) -> Section:
    rows = [[GROUPS[group["kind"]], group["name"], group["n"], row["number"], "偏难" if row["delta"] < 0 else "偏易", row["effect"],
             round(row["delta"], 2), round(row["delta_se"], 2), f"{row['adjusted_p']:.3f}"]
            for group in page.found["dif"] for row in group["rows"]]
    return Section("题目公平性", (("分组", 8), ("组", 20), ("n", 6), ("题号", 6), ("对该组", 8), ("等级", 6), ("Δ", 8), ("标准误", 8), ("校正后 p", 10)),
                   rows, [fairness_words(page)])


def fairness_words(page: SittingPage) -> str:
    """Which groups were compared."""
    groups = page.found["dif"]
    rest = f"不足 {page.minimum} 人的组不比较；系统不登记性别；几套试卷的场次按试卷分别比较。"
    if not groups:
        return f"没有可以比较的班级或考场：{rest}"
    named = "、".join(f"{group['name']}（{group['n']} 人）" for group in groups)
    said = f"总分相同时，各题对不同组是否一样难（Mantel-Haenszel，ETS 等级 B 中等、C 大；p 已对题数和组数校正）。比较了：{named}。{rest}"
    return said if any(group["rows"] for group in groups) else f"{said}没有发现有差别的题。"


def _leaks(page: SittingPage) -> Section:
    found = page.found["leaks"]
    rows = [[row["number"], page.stems.get(row["version"], "")[:40], f"{row['p']:.1e}" if row["p"] is not None else "—",
             row["since"] or "—", " → ".join(f"{100 * share:.0f}%" for _, share, _ in row["shares"])] for row in found["rows"]]
    return Section("疑似泄露", (("题号", 6), ("题干", 40), ("校正后 p", 10), ("从哪一场起", 24), ("历场答对率", 24)), rows, [leak_words(found)])


def leak_words(found: Mapping[str, Any]) -> str:
    if found["sittings"] < 2:
        return "题库只考过一场，还不能比较。"
    said = f"题库共考过 {found['sittings']} 场，比较各题答对率是否一场比一场高、超过考生水平能解释的程度。"
    often = f"有 {len(found['often'])} 道题给三成以上的考生做过，曝光偏高。" if found["often"] else ""
    return f"{said}{often}" if found["rows"] else f"{said}没有发现疑似泄露的题。{often}"


def _items(page: SittingPage) -> Section:
    rows = [[row["number"], page.stems.get(row["version"], "")[:40], _rounded(row["p"]), _rounded(row["item_rest"]), row["omitted"]]
            for row in page.found["table"]]
    return Section("各题", (("题号", 6), ("题干", 44), ("难度 p", 9), ("题余相关", 9), ("未答", 7)), rows)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _letters(text: str) -> str:
    return JUDGED.get(text, text) or "—"
