"""The rule pack (规则包): every number that another province may set otherwise. Pure.

Only what the notice itself fixes is a constant: ten working days, seven days of public notice, three years of archive,
sixty per part. They may be made stricter here, never looser.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from qbank.kernel.refused import Refused
from qbank.standards.ratios import read as read_ratios
from qbank.standards.review_form import read_form
from qbank.standards.rounding import HALF_UP
from qbank.standards.tiers import Tier, read_tiers

PASS_HALF_POINTS = 120  # 60 of 100, in half-points: 59.5 fails
FULL_HALF_POINTS = 200
LEAST_PLAN_WORKING_DAYS = 10
LEAST_NOTICE_DAYS = 7
LEAST_ARCHIVE_YEARS = 3
MOST = 10_000
NO_END = "不限"

# Groups of the page and its labels: field -> (Chinese, unit). A test sees to it that every field has one.
GROUPS: dict[str, tuple[str, ...]] = {
    "备案": ("filing_until", "pilot_until", "expiry_alarm_days", "inactivity_alarm_days"),
    "计划与公示": ("plan_working_days", "notice_days", "archive_years", "archive_paper_years"),
    "报名": ("proof_megabytes", "photo_least_width", "photo_least_height", "photo_most_kilobytes"),
    "命题": ("approvals_per_item", "review_days", "partial_credit_multiple", "partial_credit_fill"),
    "试题统计": ("statistics_minimum_n", "calibration_minimum_n", "two_parameter_minimum_n", "flag_hard_percent",
             "flag_easy_percent", "flag_weak_percent", "flag_fit_permille", "flag_fit_low_percent", "flag_fit_high_percent",
             "flag_drift_permille", "similarity_permille", "similarity_minimum_n"),
    "题库": ("items_per_point", "points_per_percent", "points_per_table", "essential_percent", "general_percent",
           "auxiliary_percent", "stale_years", "most_uses"),
    "组卷": ("theory_instructions", "importance_within_percent", "form_overlap_percent", "earlier_overlap_percent",
           "unused_sittings", "uses_per_year", "expected_within_half_points", "key_within"),
    "理论考试": ("theory_minutes", "late_entry_minutes", "earliest_hand_in_minutes", "grace_seconds", "photo_check",
             "candidates_per_invigilator", "least_invigilators", "opening_persons", "opening_minutes"),
    "阅卷": ("marking_spread_percent", "marking_third_rule", "marking_seed_every", "marking_seed_alarm_percent",
           "removed_item_rescaled"),
    "技能考核": ("candidates_per_assessor", "least_assessors", "assessors_odd", "senior_assessor_level", "assessor_times_in_row",
             "assessor_expiry_days", "assessor_exceptions", "practical_spread_half_points", "practical_trim_from"),
    "综合评审": ("least_panel", "panel_odd", "review_minutes", "review_form", "review_spread_half_points", "review_paper_required",
             "review_paper_megabytes", "review_picture_megabytes", "review_video_megabytes", "review_evidence_files",
             "overlap_alarm_percent"),
    "成绩": ("review_from_level", "theory_least", "practical_least", "review_least", "rounding", "theory_substitution", "substitution_years",
           "competition_scores", "recheck_apply_working_days", "recheck_finish_working_days"),
    "补考与保留": ("make_up_years", "make_up_attempts", "resit_after_absence", "resit_after_void"),
    "监督与违纪": ("inspection_persons", "finding_minor_working_days", "finding_major_working_days", "finding_grave_working_days",
              "statement_working_days", "staff_tiers"),
    "违纪与结果用语": ("misconduct_tiers", "label_passed", "label_failed", "label_absent", "label_void", "label_incomplete", "graded_labels",
                "good_from", "excellent_from"),
}
LABELS: dict[str, tuple[str, str]] = {
    "name": ("名称", ""),
    "filing_until": ("备案申请截止日期（例如 2020-04-30，没有填“不限”）", ""), "pilot_until": ("试点期限截至（例如 2021-06-30，没有填“不限”）", ""),
    "expiry_alarm_days": ("备案到期前多久提醒", "天"), "inactivity_alarm_days": ("满一年未开展认定前多久提醒", "天"),
    "plan_working_days": ("考务方案至少提前", "个工作日"), "notice_days": ("公示不少于", "天"),
    "archive_years": ("电子档案保存不少于", "年"), "archive_paper_years": ("纸质档案保存不少于", "年"),
    "approvals_per_item": ("每道试题需要的审题通过人数", "人"),
    "review_days": ("审题期限", "天"), "partial_credit_multiple": ("多选题少选按比例得分（错选不得分）", ""),
    "partial_credit_fill": ("填空题按空得分", ""),
    "items_per_point": ("每个鉴定点的试题不少于", "道"), "points_per_percent": ("每 1 % 比重的鉴定点不少于", "个"),
    "points_per_table": ("每个等级的鉴定点不少于", "个"), "essential_percent": ("核心要素（X）占鉴定点不低于", "%"),
    "general_percent": ("一般要素（Y）占鉴定点不高于", "%"), "auxiliary_percent": ("辅助要素（Z）占鉴定点不高于", "%"),
    "stale_years": ("多久没有修改也没有使用的题应当复核", "年"), "most_uses": ("用过多少套试卷的题算使用过多", "套"),
    "statistics_minimum_n": ("试题统计至少需要的作答数", "份"),
    "calibration_minimum_n": ("项目反应理论标定（单参数）至少需要的考生", "人"),
    "two_parameter_minimum_n": ("双参数标定至少需要的考生", "人"),
    "flag_hard_percent": ("答对率低于此值提示过难", "%"), "flag_easy_percent": ("答对率达到此值提示过易", "%"),
    "flag_weak_percent": ("题余相关低于此值提示区分度弱（按百分数填，10 即 0.10）", "%"),
    "flag_fit_permille": ("拟合检验 p 低于此值提示不拟合", "‰"),
    "flag_fit_low_percent": ("拟合均方（infit、outfit）低于此值提示（按百分数填，70 即 0.70）", "%"),
    "flag_fit_high_percent": ("拟合均方（infit、outfit）高于此值提示（按百分数填，130 即 1.30）", "%"),
    "flag_drift_permille": ("各场次答对率上升，校正后 p 不超过此值提示疑似泄露", "‰"),
    "similarity_permille": ("答卷雷同，校正后 p 不超过此值列入报告", "‰"),
    "similarity_minimum_n": ("答卷雷同分析至少需要的考生", "人"), "theory_minutes": ("理论考试时长（默认）", "分钟"),
    "late_entry_minutes": ("开考后禁止入场", "分钟"), "earliest_hand_in_minutes": ("开考后方可交卷", "分钟"),
    "proof_megabytes": ("申报条件证明材料每份不超过", "MB"), "photo_least_width": ("考生照片宽度不小于", "像素"),
    "photo_least_height": ("考生照片高度不小于", "像素"), "photo_most_kilobytes": ("考生照片文件不超过", "KB"),
    "grace_seconds": ("到时后收卷宽限", "秒"), "photo_check": ("考生须经监考员核验本人后才能开始答题", ""),
    "candidates_per_invigilator": ("每名监考员最多负责考生", "人"),
    "least_invigilators": ("每考场监考员不少于", "人"),
    "opening_persons": ("启封试卷须在场", "人"), "opening_minutes": ("启封申请的有效时间", "分钟"), "candidates_per_assessor": ("每名考评员最多负责考生", "人"),
    "least_assessors": ("每考评组考评员不少于", "人"), "assessors_odd": ("考评员人数须为单数", ""),
    "senior_assessor_level": ("从几级起考评员须为高级考评员（2 即二级、一级，0 不要求）", "级"),
    "assessor_times_in_row": ("考评员在同一机构同一职业连续考评不超过", "次"),
    "assessor_expiry_days": ("考评员证到期前多久提醒", "天"),
    "assessor_exceptions": ("个别标准另定的人员配比（例如“6-31-01-03/2018 理论 1:20 不少于 2 人；6-31-01-03 技能 1:8 不少于 5 人 单数”，没有填“无”）", ""),
    "practical_spread_half_points": ("各考评员总分相差超过（按半分填，20 即 10 分）由考评组长评定", "个半分"),
    "practical_trim_from": ("考评员达到几人时去掉最高分和最低分再平均（0 不去）", "人"),
    "least_panel": ("评审委员会不少于", "人"), "panel_odd": ("评审委员人数须为单数", ""),
    "review_minutes": ("评审答辩时长（默认）", "分钟"), "review_form": ("评分表各项及比例，例如“材料 40%、答辩 40%、业绩 20%”", ""),
    "review_spread_half_points": ("评审专家总分相差超过（按半分填，20 即 10 分）须合议后重评", "个半分"),
    "review_paper_required": ("提交技术总结或论文后才能答辩", ""), "review_paper_megabytes": ("技术总结（论文）文件不超过", "MB"),
    "review_picture_megabytes": ("业绩材料的文档、图片不超过", "MB"), "review_video_megabytes": ("业绩材料的视频不超过", "MB"),
    "review_evidence_files": ("每名考生业绩材料最多", "份"), "overlap_alarm_percent": ("与以往材料文字重合达到此值提示", "%"),
    "marking_spread_percent": ("两名阅卷员评分之差超过本题分值的此比例须第三评", "%"),
    "marking_third_rule": ("第三评后的得分：1 取最接近的两个的平均，2 以第三评为准，3 取三个的平均，4 取中间的一个", ""),
    "marking_seed_every": ("每评多少份混入一份种子卷", "份"),
    "marking_seed_alarm_percent": ("种子卷平均偏差超过本题分值的此比例提醒阅卷组长", "%"),
    "removed_item_rescaled": ("删除问题试题后按比例折算为满分（不折算时该题按 0 分计）", ""),
    "theory_instructions": ("考生须知（试卷和答题页的开头）", ""),
    "importance_within_percent": ("X、Y、Z 题量占比与目标相差不超过", "个百分点"),
    "form_overlap_percent": ("同次各套试卷之间共用题不超过", "%"), "earlier_overlap_percent": ("与以往试卷共用题不超过", "%"),
    "unused_sittings": ("最近几场考试用过的题不再用", "场"), "uses_per_year": ("每道题一年内最多用于", "套试卷"),
    "expected_within_half_points": ("各套试卷在合格线上的预期得分相差不超过（按半分填，2 即 1 分）", "个半分"),
    "key_within": ("各答案的题数与平均数相差不超过", "道"),
    "theory_least": ("理论知识合格分", "分"), "practical_least": ("操作技能合格分", "分"), "review_least": ("综合评审合格分", "分"),
    "theory_substitution": ("理论成绩可由专业（学科）考试或单项能力考核成绩替代", ""), "competition_scores": ("竞赛成绩可以认可", ""),
    "review_from_level": ("哪一级起须综合评审（2 即技师及以上，3 即高级工及以上）", "级"),
    "rounding": ("成绩取整：1 四舍五入到 0.5 分，2 四舍五入到整数分，3 舍去到 0.5 分，4 舍去到整数分（都不会把不合格进为合格）", ""),
    "substitution_years": ("替代理论的考试成绩须在几年内取得（0 为不限）", "年"),
    "resit_after_absence": ("缺考的部分可以补考", ""), "resit_after_void": ("因违纪成绩无效的部分可以补考", ""),
    "inspection_persons": ("每项检查的督导员不少于", "人"), "finding_minor_working_days": ("一般问题的整改期限", "个工作日"),
    "finding_major_working_days": ("较重问题的整改期限", "个工作日"), "finding_grave_working_days": ("严重问题的整改期限", "个工作日"),
    "statement_working_days": ("陈述申辩的期限", "个工作日"),
    "staff_tiers": ("工作人员违规的处理等次（名称/停止参与认定的月数，用分号隔开）", ""),
    "misconduct_tiers": ("违纪等次（名称/本部分或全部无效/禁考月数，用分号隔开）", ""),
    "label_passed": ("各部分都合格时称为", ""), "label_failed": ("有部分未达到合格分时称为", ""), "label_absent": ("缺考时称为", ""),
    "label_void": ("成绩因违纪无效时称为", ""), "label_incomplete": ("还有部分没有成绩时称为", ""),
    "graded_labels": ("合格者再分良好、优秀（按最低的一部分成绩）", ""), "good_from": ("良好从", "分起"), "excellent_from": ("优秀从", "分起"),
    "make_up_years": ("单科合格成绩保留", "年"), "make_up_attempts": ("补考次数", "次"),
    "recheck_apply_working_days": ("成绩复核申请期限", "个工作日"), "recheck_finish_working_days": ("成绩复核办结期限", "个工作日"),
}
# Below these a rule would be no rule, or a count would be divided by nothing.
LEAST = {"proof_megabytes": 1, "photo_least_width": 60, "photo_least_height": 80, "photo_most_kilobytes": 20,
         "opening_persons": 2, "opening_minutes": 1, "approvals_per_item": 1, "review_days": 1, "theory_minutes": 1,
         "candidates_per_invigilator": 1, "least_invigilators": 1, "candidates_per_assessor": 1, "least_assessors": 1,
         "least_panel": 1, "statistics_minimum_n": 1, "calibration_minimum_n": 10, "two_parameter_minimum_n": 10,
         "similarity_minimum_n": 20, "theory_least": 60, "practical_least": 60, "review_least": 60,
         "review_spread_half_points": 1, "review_minutes": 1, "review_paper_megabytes": 1, "review_picture_megabytes": 1, "review_video_megabytes": 1,
         "overlap_alarm_percent": 1, "review_from_level": 2, "rounding": 1, "good_from": 60, "excellent_from": 60,
         "recheck_apply_working_days": 1, "recheck_finish_working_days": 1,
         "inspection_persons": 1, "finding_minor_working_days": 1, "finding_major_working_days": 1, "finding_grave_working_days": 1,
         "statement_working_days": 1, "assessor_times_in_row": 1, "marking_third_rule": 1, "marking_seed_every": 2}
PERCENTS = {"good_from", "excellent_from", "theory_least", "practical_least", "review_least", "overlap_alarm_percent", "importance_within_percent",
             "form_overlap_percent", "earlier_overlap_percent",
             "marking_spread_percent", "marking_seed_alarm_percent", "flag_hard_percent", "flag_easy_percent", "flag_weak_percent", "flag_fit_low_percent"}
MOST_OF = {"senior_assessor_level": 5, "rounding": 4, "review_from_level": 5, "marking_third_rule": 4}
PERMILLES = {"flag_fit_permille", "flag_drift_permille", "similarity_permille"}


def last_day(text: str, what: str) -> date | None:
    """A day as a rule pack says it; None: no end. Refuses what is neither."""
    try:
        return None if text.strip() == NO_END else date.fromisoformat(text.strip())
    except ValueError:
        raise Refused("rule_pack_day", f"“{what}”应填写日期，例如 2021-06-30，没有期限填“{NO_END}”，现在是“{text[:20]}”。") from None


@dataclass(frozen=True)
class RulePack:
    """The settings of one province with the defaults that were found in published rules."""

    name: str = "默认规则包"
    filing_until: str = NO_END
    pilot_until: str = NO_END
    expiry_alarm_days: int = 60
    inactivity_alarm_days: int = 90
    plan_working_days: int = LEAST_PLAN_WORKING_DAYS
    notice_days: int = LEAST_NOTICE_DAYS
    archive_years: int = 5  # electronic; three by the notice, five where colleges publish a rule of their own
    archive_paper_years: int = LEAST_ARCHIVE_YEARS
    approvals_per_item: int = 2
    review_days: int = 7
    partial_credit_multiple: bool = False
    partial_credit_fill: bool = False
    theory_instructions: str = "请仔细阅读各题的答题要求，独立作答。考试中不得交谈，不得使用与考试无关的物品。"
    importance_within_percent: int = 5
    form_overlap_percent: int = 0
    earlier_overlap_percent: int = 30
    unused_sittings: int = 2
    uses_per_year: int = 3
    expected_within_half_points: int = 2
    key_within: int = 3
    theory_minutes: int = 90
    late_entry_minutes: int = 30
    earliest_hand_in_minutes: int = 30
    grace_seconds: int = 30
    proof_megabytes: int = 20
    photo_least_width: int = 200
    photo_least_height: int = 280
    photo_most_kilobytes: int = 500
    photo_check: bool = False
    candidates_per_invigilator: int = 15
    least_invigilators: int = 2
    opening_persons: int = 2  # never one alone
    opening_minutes: int = 60
    candidates_per_assessor: int = 5
    least_assessors: int = 3
    assessors_odd: bool = True
    senior_assessor_level: int = 2
    assessor_times_in_row: int = 3
    assessor_expiry_days: int = 90
    assessor_exceptions: str = "无"
    practical_spread_half_points: int = 20
    practical_trim_from: int = 5
    least_panel: int = 3
    panel_odd: bool = True
    review_minutes: int = 30
    review_form: str = "材料 40%、答辩 40%、业绩 20%"
    review_spread_half_points: int = 20
    review_paper_required: bool = True
    review_paper_megabytes: int = 20
    review_picture_megabytes: int = 10
    review_video_megabytes: int = 200
    review_evidence_files: int = 10
    overlap_alarm_percent: int = 30
    theory_least: int = 60
    practical_least: int = 60
    review_least: int = 60
    theory_substitution: bool = True  # notice, part 五(三)
    competition_scores: bool = False
    review_from_level: int = 2  # levels 2 and 1 always (notice, part 五(三))
    rounding: int = HALF_UP
    substitution_years: int = 0
    resit_after_absence: bool = True
    resit_after_void: bool = False
    inspection_persons: int = 2
    finding_minor_working_days: int = 10
    finding_major_working_days: int = 5
    finding_grave_working_days: int = 3
    statement_working_days: int = 5
    staff_tiers: str = "批评教育/0；暂停参与认定/12；取消参与资格/120"
    misconduct_tiers: str = "一般违纪/本部分/0；严重违纪/全部/0；特别严重违纪/全部/12"
    label_passed: str = "合格"
    label_failed: str = "不合格"
    label_absent: str = "缺考"
    label_void: str = "成绩无效"
    label_incomplete: str = "成绩不全"
    graded_labels: bool = False
    good_from: int = 80
    excellent_from: int = 95
    make_up_years: int = 1
    make_up_attempts: int = 1
    recheck_apply_working_days: int = 10
    recheck_finish_working_days: int = 10
    statistics_minimum_n: int = 30
    items_per_point: int = 4
    points_per_percent: int = 2
    points_per_table: int = 200
    essential_percent: int = 80
    general_percent: int = 15
    auxiliary_percent: int = 5
    stale_years: int = 3
    most_uses: int = 5
    calibration_minimum_n: int = 100
    two_parameter_minimum_n: int = 500
    flag_hard_percent: int = 30
    flag_easy_percent: int = 95
    flag_weak_percent: int = 10
    flag_fit_permille: int = 10
    flag_fit_low_percent: int = 70
    flag_fit_high_percent: int = 130
    flag_drift_permille: int = 10
    similarity_permille: int = 10
    similarity_minimum_n: int = 50
    marking_spread_percent: int = 20
    marking_third_rule: int = 1
    marking_seed_every: int = 10
    marking_seed_alarm_percent: int = 10
    removed_item_rescaled: bool = True

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if type(getattr(self, field.name)) is not type(field.default):
                raise Refused("rule_pack_type", f"规则包的“{field.name}”应为 {type(field.default).__name__} 类型。")
        for name, least in (("plan_working_days", LEAST_PLAN_WORKING_DAYS), ("notice_days", LEAST_NOTICE_DAYS),
                            ("archive_years", LEAST_ARCHIVE_YEARS), ("archive_paper_years", LEAST_ARCHIVE_YEARS)):
            if getattr(self, name) < least:
                label, unit = LABELS[name]
                raise Refused("below_notice", f"“{label}”不得少于 {least} {unit}（湘人社函〔2020〕47号），不能设为 {getattr(self, name)}。")
        read_ratios(self.assessor_exceptions)
        read_form(self.review_form)
        for field in dataclasses.fields(self):
            value, label = getattr(self, field.name), LABELS.get(field.name, (field.name, ""))[0]
            most = 100 if field.name in PERCENTS else 1000 if field.name in PERMILLES else MOST_OF.get(field.name, MOST)
            if type(value) is int and not LEAST.get(field.name, 0) <= value <= most:
                raise Refused("rule_pack_range", f"“{label}”应在 {LEAST.get(field.name, 0)} 到 {most} 之间，不能设为 {value}。")

        read_tiers(self.misconduct_tiers)
        for name in ("filing_until", "pilot_until"):
            last_day(getattr(self, name), LABELS[name][0])

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers of misconduct, in their order."""
        return read_tiers(self.misconduct_tiers)

    def reviews(self, level: int) -> bool:
        """Whether ``level`` (5 to 1) needs the comprehensive review."""
        return level <= self.review_from_level

    @classmethod
    def read(cls, text: str) -> RulePack:
        """From a JSON object of the fields that differ. Refuses unknown names, wrong types and looser values."""
        try:
            values: dict[str, Any] = json.loads(text)
        except json.JSONDecodeError as error:
            raise Refused("rule_pack_json", f"规则包不是有效的 JSON：第 {error.lineno} 行附近有误。") from error
        if not isinstance(values, dict):
            raise Refused("rule_pack_json", "规则包应是一个 JSON 对象。")
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(values.keys() - known):
            raise Refused("rule_pack_field", f"规则包里没有这些设置：{'、'.join(unknown)}。")
        return cls(**values)
