"""What may be asked for: the query parameters of each operation. Anything else is an error, never silently dropped."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from examroom.plans.models import PlanState
from scoring.results.models import ResultState

MOST = 200


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # beyond the calendar: before everything, or after it
        return datetime.max.replace(tzinfo=UTC) if moment.year > 1 else datetime.min.replace(tzinfo=UTC)


def _written_as(pattern: str) -> BeforeValidator:
    """Not a bare number, which pydantic would take for seconds since 1970."""

    def check(text: Any) -> Any:
        if not re.match(pattern, str(text)):
            raise ValueError("应写成 2026-06-01 或 2026-06-01T09:00:00+08:00 的样子")
        return text

    return BeforeValidator(check)


Moment = Annotated[AwareDatetime, _written_as(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T"), AfterValidator(_in_utc)]
Day = Annotated[date, _written_as(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Region = Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})$")]
Code = Annotated[str, Field(pattern=r"^[0-9]-[0-9]{2}-[0-9]{2}-[0-9]{2}(-[0-9]{3})?$")]


class Page(BaseModel):
    """A page of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=MOST, description=f"每页条数，最多 {MOST}")
    after: str | None = Field(default=None, pattern=r"^p[0-9]{1,9}$", description="上一页给出的 next 中的位置；不填从头开始")


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
    return f"p{key}"


def placed(text: str | None) -> int:
    """The key that :func:`place` wrote; 0 for the beginning."""
    return int(text[1:]) if text else 0
