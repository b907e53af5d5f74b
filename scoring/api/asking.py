"""What may be asked for: the query parameters of each operation. Anything else is an error, never silently dropped."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from examroom.plans.models import PlanState
from scoring.api.problems import BadField, Problem
from scoring.results.models import ResultState

MOST = 200


def _in_time(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2100:
        raise ValueError("应在 2000 年到 2100 年之间")
    return moment.astimezone(UTC)


def _day_in_time(day: date) -> date:
    if not 2000 <= day.year <= 2100:
        raise ValueError("应在 2000 年到 2100 年之间")
    return day


Moment = Annotated[AwareDatetime, AfterValidator(_in_time)]
Day = Annotated[date, AfterValidator(_day_in_time)]
Region = Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})$")]
Code = Annotated[str, Field(pattern=r"^[0-9]-[0-9]{2}-[0-9]{2}-[0-9]{2}(-[0-9]{3})?$")]


class Page(BaseModel):
    """A page of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=MOST, description=f"每页条数，最多 {MOST}")
    after: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,40}$", description="上一页给出的 next 中的位置；不填从头开始")


class Changed(Page):
    """A list that can be asked for what is new."""

    changed_since: Moment | None = Field(default=None, description="只要这个时刻（含，须带时区）以后有变化的记录")
    region: Region | None = Field(default=None, description="学校所在地区的前缀：2 位省、4 位市、6 位区县")


class DirectoryQuery(Page):
    """评价机构目录."""

    region: Region | None = Field(default=None, description="学校所在地区的前缀：2 位省、4 位市、6 位区县")
    level: int | None = Field(default=None, ge=1, le=5, description="等级：5 至 1")
    occupation_code: Code | None = Field(default=None, description="职业编码")


class PlanQuery(Changed):
    """考务方案."""

    state: PlanState | None = Field(default=None, description="状态（草稿不提供）")
    level: int | None = Field(default=None, ge=1, le=5, description="等级：5 至 1")
    occupation_code: Code | None = Field(default=None, description="职业编码")
    starts_from: Day | None = Field(default=None, description="首考日不早于")
    starts_until: Day | None = Field(default=None, description="首考日不晚于")


class ResultQuery(Changed):
    """认定结果."""

    state: ResultState | None = Field(default=None, description="状态（公示以前不提供）")


class CertificateQuery(Changed):
    """证书."""

    issued_from: Day | None = Field(default=None, description="发证日期不早于")
    issued_until: Day | None = Field(default=None, description="发证日期不晚于")
    revoked: bool | None = Field(default=None, description="true 只要已注销的，false 只要有效的")


class Nothing(BaseModel):
    """An operation without parameters."""

    model_config = ConfigDict(extra="forbid")


def place(key: int) -> str:
    """Behind which row the next page begins; for the caller only a word."""
    return base64.urlsafe_b64encode(f"id:{key}".encode()).decode().rstrip("=")


def placed(text: str | None) -> int:
    """The key that :func:`place` wrote; 0 for the beginning."""
    if text is None:
        return 0
    try:
        name, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        if name == "id" and key.isascii() and key.isdecimal() and int(key) < 2**31:
            return int(key)
    except (ValueError, binascii.Error):
        pass
    raise Problem("bad_request", "after 不是接口给出的位置。请从头读取，或照搬上一页 next 中的值。", [BadField(parameter="after", detail="无法识别")])
