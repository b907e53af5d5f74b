"""A large invented bank, written in bulk below the audit trail: for benchmarks, and for tests that need thousands of rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.models import Item, ItemFigures, ItemVersion, Option
from qbank.items.words import words_of
from qbank.standards.models import Point, Range

SUBJECTS = ("三相异步电动机", "单相变压器", "交流接触器", "热继电器", "低压断路器", "电流互感器", "晶闸管整流电路", "电力电缆", "接地装置",
            "可编程控制器", "变频器", "直流电动机", "漏电保护器", "万用表", "兆欧表", "光电开关", "步进电动机", "照明线路", "电容补偿柜", "行程开关")
SITUATIONS = ("空载运行时", "过载运行时", "启动瞬间", "正反转切换时", "安装完毕后", "检修之前", "带电测量时", "绝缘受潮后", "长期停用后",
              "负载突变时", "电源缺相时", "环境温度升高时", "更换熔体后", "调试过程中", "雷雨季节")
ASKED = ("其绕组的发热情况", "首先应当检查的部位", "所选导线的截面积", "允许的最大电流", "保护装置的整定值", "产生异常响声的原因", "绝缘电阻的最低值",
         "操作人员应当采取的措施", "输出电压的变化规律", "触点烧蚀的主要原因", "接线方式", "功率因数的变化", "温升的限值", "维护保养的周期", "故障代码的含义")
ENDS = ("应为（　）。", "主要取决于（　）。", "下列说法正确的是（　）。", "下列说法错误的是（　）。", "与（　）有关。",
        "不符合规程的是（　）。", "一般为（　）。")
WORDS = "额定短路开路断线虚接老化松动受潮磨损氧化过热振动偏心漏油积灰放电击穿谐振失压欠压反相接错堵转爬行抖动超调"


def stems(count: int, seed: int = 1) -> list[str]:
    """Invented stems of about 40 characters; one in twenty is an earlier one with a few characters changed."""
    drawn = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        if made and drawn.random() < 0.05:
            letters = list(drawn.choice(made))
            for _ in range(drawn.randint(1, 3)):
                letters[drawn.randrange(len(letters))] = drawn.choice(WORDS)
            made.append("".join(letters))
        else:
            troubles = "".join(drawn.sample(WORDS, 6))
            made.append(f"{drawn.choice(SUBJECTS)}{drawn.choice(SITUATIONS)}{troubles}，额定电压 {drawn.randint(1, 999)} V，"
                        f"{drawn.choice(ASKED)}{drawn.choice(ENDS)}")
    return made


def fill(session: Session, table_id: int, institution_id: int, author_ids: Sequence[int], count: int, now: datetime,
         seed: int = 1) -> None:
    """``count`` items with one version each, on the session's connection: no objects, no audit trail."""
    points = list(session.scalars(sa.select(Point.id).join(Range).where(Range.table_id == table_id).order_by(Point.id)))
    first = (session.scalar(sa.select(sa.func.max(Item.id))) or 0) + 1
    first_version = (session.scalar(sa.select(sa.func.max(ItemVersion.id))) or 0) + 1
    connection, drawn = session.connection(), random.Random(seed)
    texts = list(enumerate(stems(count, seed)))
    for start in range(0, count, 5000):
        made = [_row(drawn, place, stem, first, first_version, points, author_ids, now)
                for place, stem in texts[start:start + 5000]]
        connection.execute(sa.insert(Item), [{"id": version["item_id"], "institution_id": institution_id,
                                              "table_id": table_id, "purpose": "EXAM"} for version in made])
        connection.execute(sa.insert(ItemVersion), [{name: value for name, value in version.items() if name != "options"}
                                                    for version in made])
        connection.execute(sa.insert(Option), list(_options(made)))
        connection.execute(sa.insert(ItemFigures), [
            {"item_id": version["item_id"], "uses": drawn.randint(0, 6), "last_used_at": now - timedelta(days=drawn.randint(1, 900)),
             "answered": drawn.randint(20, 400), "difficulty": drawn.random(), "discrimination": drawn.uniform(-0.1, 0.6)}
            for version in made if version["item_id"] % 3 == 0])
    if connection.dialect.name == "postgresql":
        for name in ("items", "item_versions"):
            connection.execute(sa.text(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))"))  # noqa: S608  # our names


def _row(drawn: random.Random, place: int, stem: str, first: int, first_version: int, points: Sequence[int],
         author_ids: Sequence[int], now: datetime) -> dict[str, Any]:
    kind = drawn.choice(("SINGLE", "SINGLE", "SINGLE", "JUDGE", "MULTIPLE"))
    options = [] if kind == "JUDGE" else [f"{drawn.choice(ASKED)}{drawn.randint(1, 99)}" for _ in range(4)]
    key = {"SINGLE": drawn.choice("ABCD"), "JUDGE": drawn.choice("TF"), "MULTIPLE": "ACD"}[kind]
    return {"id": first_version + place, "item_id": first + place, "number": 1, "point_id": drawn.choice(points),
            "kind": kind, "stem": stem, "key": key, "explanation": "见教材相应章节。" * 5, "source": "电工（中级）教材",
            "difficulty": drawn.randint(1, 5), "state": drawn.choice(("APPROVED",) * 7 + ("IN_USE", "DRAFT", "SUBMITTED")),
            "content_hash": f"{first + place:064d}", "words": words_of(stem, options), "options": options,
            "author_id": drawn.choice(author_ids), "created_at": now - timedelta(minutes=place), "reason": "",
            "submitted_at": now, "approvals": 0, "state_reason": "", "row_version": 1}


def _options(made: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for version in made:
        for letter, text in zip("ABCD", version["options"], strict=False):
            yield {"version_id": version["id"], "letter": letter, "text": text, "stays_last": False}
