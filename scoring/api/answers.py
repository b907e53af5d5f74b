"""What is answered. The descriptions are those of the documentation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Answer(BaseModel):
    """Base: what is not described is not answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListPage(Answer, Generic[T]):
    """One page."""

    items: list[T] = Field(description="本页记录")
    next: str | None = Field(description="下一页的地址；没有更多时为 null")


class School(Answer):
    """评价机构."""

    name: str = Field(description="名称")
    credit_code: str | None = Field(description="统一社会信用代码")
    region: str = Field(description="地区代码，6 位")
    kind: str = Field(description="机构类别")


class OccupationOf(Answer):
    """职业（工种）."""

    code: str = Field(description="职业编码")
    name: str = Field(description="职业名称")
    work_type: str = Field(description="工种，没有则为空")


class FiledScopeAnswer(Answer):
    """备案范围中的一条."""

    institution: School = Field(description="评价机构")
    occupation: OccupationOf = Field(description="职业（工种）")
    level: int = Field(ge=1, le=5, description="等级")
    basis: str = Field(description="认定依据")
    valid_from: date = Field(description="有效期起")
    valid_until: date = Field(description="有效期止（含）")


class Step(Answer):
    """一次审核."""

    state: str = Field(description="审核后的状态")
    comment: str = Field(description="意见")
    at: datetime = Field(description="时间")


class SittingAnswer(Answer):
    """理论考试场次."""

    name: str = Field(description="名称")
    starts_at: datetime = Field(description="开考时间")
    minutes: int = Field(description="时长（分钟）")
    state: str = Field(description="状态")


class PlanAnswer(Answer):
    """考务方案."""

    number: str = Field(description="计划编号")
    title: str = Field(description="名称")
    institution: School = Field(description="评价机构")
    occupation: OccupationOf = Field(description="职业（工种）")
    level: int = Field(ge=1, le=5, description="等级")
    state: str = Field(description="状态代码")
    state_name: str = Field(description="状态")
    starts_on: date = Field(description="首考日")
    submitted_at: datetime | None = Field(description="报送时间")
    enrolled: int = Field(description="报名人数")
    sittings: list[SittingAnswer] = Field(description="理论考试场次")
    decisions: list[Step] = Field(description="审核记录")
    changed_at: datetime | None = Field(description="最近一次变化")


class ResultAnswer(Answer):
    """一个批次的认定结果（汇总）."""

    plan_number: str = Field(description="计划编号")
    institution: School = Field(description="评价机构")
    occupation: OccupationOf = Field(description="职业（工种）")
    level: int = Field(ge=1, le=5, description="等级")
    state: str = Field(description="状态代码")
    state_name: str = Field(description="状态")
    noticed_at: datetime | None = Field(description="公示开始")
    notice_until: date | None = Field(description="公示最后一日")
    candidates: int = Field(description="人数")
    passed: int = Field(description="合格人数")
    objections: int = Field(description="异议条数")
    decisions: list[Step] = Field(description="审核记录")
    changed_at: datetime | None = Field(description="最近一次变化")


class CandidateAnswer(Answer):
    """一名考生的结果. 证件号码只有掩码."""

    ticket_number: str = Field(description="准考证号")
    name: str = Field(description="姓名")
    identity_masked: str | None = Field(description="证件号码（掩码）")
    theory: float | None = Field(description="理论知识成绩")
    practical: float | None = Field(description="操作技能成绩")
    review: float | None = Field(description="综合评审成绩")
    passed: bool = Field(description="是否合格")
    outcome: str = Field(description="结论")


class CertificateAnswer(Answer):
    """证书. 持证人一栏只给有“个人信息”权限的令牌."""

    number: str = Field(description="证书编号")
    plan_number: str = Field(description="计划编号")
    occupation: OccupationOf = Field(description="职业（工种）")
    level: int = Field(ge=1, le=5, description="等级")
    issuer: str = Field(description="发证机构")
    issued_on: date = Field(description="发证日期")
    state: Literal["valid", "revoked"] = Field(description="valid 有效，revoked 已注销")
    revoked_at: datetime | None = Field(description="注销时间")
    revoked_why: str = Field(description="注销原因")
    replaced_at: datetime | None = Field(description="最近一次补发、换发时间")
    holder: str | None = Field(description="持证人姓名；没有权限时为 null")
    identity_masked: str | None = Field(description="证件号码（掩码）；没有权限时为 null")
    changed_at: datetime | None = Field(description="最近一次变化")


class TokenAnswer(Answer):
    """这个令牌本身."""

    name: str = Field(description="接入平台")
    reads: list[str] = Field(description="可读取的内容")
    region: str | None = Field(description="地区前缀；绑定学校时为 null")
    institution: str | None = Field(description="学校；绑定地区时为 null")
    expires_at: datetime = Field(description="有效期止")


class Directory(ListPage[FiledScopeAnswer]):
    """评价机构目录的一页."""


class Plans(ListPage[PlanAnswer]):
    """考务方案的一页."""


class Results(ListPage[ResultAnswer]):
    """认定结果的一页."""


class Candidates(ListPage[CandidateAnswer]):
    """考生结果的一页."""


class Certificates(ListPage[CertificateAnswer]):
    """证书的一页."""
