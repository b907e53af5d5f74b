"""Fictional people with valid but fictional identity numbers. Every resemblance is chance."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from stdnum.cn import ric

SURNAMES = ("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩"
            "冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚钟姜崔谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶"
            "黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤")
GIVEN = ("子涵", "宇轩", "浩然", "梓豪", "俊杰", "思远", "文博", "嘉豪", "一鸣", "志强", "建国", "晓东", "海涛", "立新", "振华", "家伟", "明辉",
         "天宇", "泽凯", "睿哲", "鹏飞", "俊熙", "昊天", "承志", "文轩", "子墨", "雨桐", "欣怡", "诗涵", "梦瑶", "佳琪", "雅婷", "思琪", "静怡",
         "晓燕", "雨欣", "若曦", "婉清", "语嫣", "可馨")
PLACES = ("430102", "430103", "430104", "430105", "430111", "430202", "430302", "430405", "430502", "430602", "430702", "431002")
CLASSES = ("电气 2301 班", "电气 2302 班", "机电 2301 班")


@dataclass(frozen=True)
class Student:
    """One fictional candidate."""

    name: str
    identity_number: str
    student_number: str
    class_name: str


def identity_number(place: str, born: date, serial: int) -> str:
    """A number with a right check digit (GB 11643)."""
    body = f"{place}{born:%Y%m%d}{serial:03d}"
    return body + str(ric.calc_check_digit(body + "0"))  # the function ignores the last digit


def students(count: int, *, seed: int = 2026, first: int = 1) -> list[Student]:
    """``count`` students, the same ones for the same ``seed``; ``first`` numbers the student cards."""
    draw = random.Random(seed)
    names = [surname + given for surname in SURNAMES for given in GIVEN]
    chosen = draw.sample(names, count)
    found = []
    for offset, name in enumerate(chosen):
        born = date(2006, 1, 1) + timedelta(days=draw.randrange(900))
        serial = draw.randrange(100, 999)
        found.append(Student(name, identity_number(draw.choice(PLACES), born, serial), f"2301{first + offset:04d}",
                             draw.choice(CLASSES)))
    return found
