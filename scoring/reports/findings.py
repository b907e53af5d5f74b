"""What results say, in sentences for somebody who reads no statistics: each rests on a number and says how sure it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qbank.statistics.classical import TwoShares
from qbank.statistics.intervals import newcombe
from scoring.reports.rates import Line, Rate, classes, of_part, outlying, overall
from scoring.reports.scores import NEAR
from scoring.results.merge import Verdict


@dataclass(frozen=True)
class Finding:
    """``title`` what was found, ``text`` the numbers and what they mean, ``advice`` what may be done (may be empty)."""

    title: str
    text: str
    advice: str = ""


def findings(lines: Sequence[Line], parts: Sequence[str], least: Mapping[str, int], before: Rate | None = None) -> list[Finding]:
    """The outcome, the hurdle, who is near, classes, what changed since ``before`` (the batch before, None: there is none)."""
    whole = overall(lines)
    if not whole.n or whole.low is None or whole.high is None or whole.share is None:
        return []
    found = [Finding(f"{whole.n} 名考生中 {whole.passed} 人合格，合格率 {whole.share:.1%}",
                     f"考生的多少带来偶然波动：换一批同样水平的考生，合格率大致会在 {whole.low:.0%} 到 {whole.high:.0%} 之间。" + _others(lines))]
    found += [one for one in (_hurdle(lines, parts, least), _near(lines, parts, least), _classes(lines, whole), _changed(whole, before)) if one]
    return found


def _others(lines: Sequence[Line]) -> str:
    absent, void = (sum(line.verdict is verdict for line in lines) for verdict in (Verdict.ABSENT, Verdict.VOID))
    said = [f"{number} 人{word}" for number, word in ((absent, "缺考"), (void, "成绩无效")) if number]
    return f"未合格的考生中有 {'、'.join(said)}。" if said else ""


def _hurdle(lines: Sequence[Line], parts: Sequence[str], least: Mapping[str, int]) -> Finding | None:
    """Which part keeps candidates from passing."""
    failed = [line for line in lines if line.verdict is Verdict.FAILED]
    missed = [[part for part in parts if line.scores.get(part) is not None and not line.reaches(part, least[part])] for line in failed]
    only = {part: sum(found == [part] for found in missed) for part in parts}
    if not failed or not any(only.values()):
        return None
    worst = max(parts, key=lambda part: only[part])
    shares = "，".join(f"{one.name} {one.share:.1%}" for part in parts if (one := of_part(lines, part, least[part])).share is not None)
    several = sum(len(found) > 1 for found in missed)
    text = f"不合格的 {len(failed)} 人中，{'，'.join(f'{number} 人只差{part}' for part, number in only.items() if number)}" + (
        f"，{several} 人不止差一项" if several else "") + f"。各部分达到合格线的比例：{shares}。"
    return Finding(f"影响合格最多的是{worst}", text, f"下一批开考前，先加强{worst}的训练；只差一项的考生可以保留另一项成绩补考。")


def _near(lines: Sequence[Line], parts: Sequence[str], least: Mapping[str, int]) -> Finding | None:
    """Who failed by no more than five points in every part that he failed."""
    near = 0
    for line in lines:
        short = [least[part] - score for part in parts if (score := line.scores.get(part)) is not None and score < least[part]]
        near += line.verdict is Verdict.FAILED and bool(short) and max(short) <= NEAR and not line.vetoed
    if not near:
        return None
    return Finding(f"{near} 人离合格线不到 5 分", "这些考生每一项未达线的成绩都只差 5 分以内，补考前的辅导对他们最见效。",
                   "名单见成绩汇总表；请班主任逐人了解失分的内容。")


def _classes(lines: Sequence[Line], whole: Rate) -> Finding | None:
    groups = [overall(some, name) for name, some in classes(lines).items()]
    if len(groups) < 2:
        return None
    lower, higher = outlying(groups, whole)
    if not lower and not higher:
        return Finding("各班级之间没有可靠的差别", f"{len(groups)} 个班级的合格率有高有低，但都在人数带来的偶然波动之内，不宜据此排名。")
    said = [f"{'、'.join(_named(one) for one in some[:4])}{f' 等 {len(some)} 个班级' if len(some) > 4 else ''}{word}于全体"
            for some, word in ((lower, "低"), (higher, "高")) if some]
    return Finding("有班级与全体明显不同", "；".join(said) + f"，超出了偶然波动的范围（已考虑同时比较 {len(groups)} 个班级）。",
                   "请了解这些班级的课时、实训条件和学生基础，再下结论。" if lower else "可以请这些班级介绍做法。")


def _named(one: Rate) -> str:
    return f"{one.name}（{one.passed}/{one.n}）"


def _changed(whole: Rate, before: Rate | None) -> Finding | None:
    if before is None or not before.n or before.share is None or whole.share is None:
        return None
    low, high = newcombe(TwoShares(*(np.array([float(value)]) for value in (whole.n, whole.passed, before.n, before.passed))))
    change, down, up = 100 * (whole.share - before.share), 100 * float(low[0]), 100 * float(high[0])
    sure = "变化超出了偶然波动的范围。" if down > 0 or up < 0 else "还不能说有变化，可能只是偶然波动。"
    return Finding(f"与上一批（{before.name}）相比{'提高' if change >= 0 else '降低'} {abs(change):.1f} 个百分点",
                   f"上一批 {before.n} 人，合格率 {before.share:.1%}；差别的 95% 区间为 {down:+.0f} 到 {up:+.0f} 个百分点，{sure}")
