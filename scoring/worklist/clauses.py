"""The clauses of the notice 湘人社函〔2020〕47号 by their numbers, in a few words each. Pure."""

from __future__ import annotations

NOTICE = "湘人社函〔2020〕47号"
CLAUSES = {
    "一（一）": "依法设立、面向本校学生", "一（二）": "原鉴定范围和相应专业", "一（三）": "场所、制度和人员", "一（四）": "场地设备和视频监控",
    "一（五）": "统筹鉴定和认定", "一（六）": "自愿接受监管", "二（一）": "职业分类大典范围", "二（二）": "依据标准开展评价", "二（三）": "学校类别和等级",
    "三（一）": "申报", "三（二）": "审核", "三（三）": "公布和有效期", "四（一）": "申请计划", "四（二）": "质量监督和公示", "四（三）": "结果审核",
    "四（四）": "证书发放", "五（一）": "制度、题库和考评队伍", "五（二）": "台账和档案保存", "五（三）": "理论、实操和综合评审", "五（四）": "教学对接和竞赛",
    "五（五）": "收费", "五（六）": "备案范围和责任追究", "五（七）": "其他院校参照", "附件1": "备案申请表", "附件2": "申请材料",
}
ORDER = {clause: place for place, clause in enumerate(CLAUSES)}


def told(clause: str) -> str:
    """A clause as a tooltip says it."""
    return f"{NOTICE} {clause} {CLAUSES.get(clause, '')}".rstrip()


def sorted_clauses(found: set[str]) -> list[str]:
    """In the order of the notice; what it does not have comes last."""
    return sorted(found, key=lambda clause: (ORDER.get(clause, len(ORDER)), clause))
