"""Device and recovery codes are both lost: an administrator asks, another person who knows the colleague agrees."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from qbank.kernel import second_factor
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Versioned
from qbank.kernel.refused import Refused
from qbank.kernel.todo import Todo

SECOND = (Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)  # beside administrators: within their institution or region


class ResetState(enum.StrEnum):
    """asked → done | refused."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        return {"asked": "待另一人核准", "done": "已重置", "refused": "未同意"}[self.value]


class FactorReset(Versioned, Base):
    """重置两步验证: asked for by one person, decided by another, neither of them the account's own."""

    __tablename__ = "factor_resets"
    __table_args__ = (sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name="decided"),
                      sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"),
                      sa.CheckConstraint("account_id <> asked_by AND (decided_by IS NULL OR account_id <> decided_by)", name="not_oneself"))

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    reason: Mapped[str]
    state: Mapped[ResetState] = mapped_column(sa.Enum(ResetState, native_enum=False, length=10), default=ResetState.ASKED)
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not decided yet
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    asker: Mapped[Account] = relationship(foreign_keys=[asked_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        """Administrators, and the officers of where the person works."""
        if viewer.has(Role.ADMINISTRATOR):
            return sa.true()
        return cls.account.has(viewer.reach(Account.institution_id, *SECOND))

    def may_decide(self, who: Viewer) -> bool:
        return self.state is ResetState.ASKED and who.account_id not in (self.asked_by, self.account_id)


def ask(session: Session, account: Account, reason: str, who: Viewer, *, now: datetime) -> FactorReset:
    """Ask that the second step of ``account`` be turned off, so that the person can enrol a new device."""
    if account.totp_since is None:
        raise Refused("not_enrolled", f"{account.name}没有启用两步验证，不需要重置。")
    if account.id == who.account_id:
        raise Refused("oneself", "不能为自己申请重置。请用恢复码登录，或请另一位系统管理员申请。")
    if not reason.strip():
        raise Refused("reason_missing", "请填写原因，以及怎样核实是本人，例如“手机丢失，已当面核对工作证”。")
    if session.scalar(sa.select(FactorReset.id).where(FactorReset.account_id == account.id, FactorReset.state == ResetState.ASKED)):
        raise Refused("asked_already", f"{account.name}的重置申请已在等待另一人核准，不用重复申请。")
    made = FactorReset(account=account, reason=reason.strip()[:2000], asked_by=who.account_id, asked_at=now)
    session.add(made)
    session.flush()
    return made


def decide(session: Session, reset: FactorReset, agrees: bool, comment: str, who: Viewer, *, now: datetime) -> None:
    """The other person's word. Agreed: device and recovery codes are forgotten, every sign-in of the account ends."""
    session.refresh(reset, with_for_update=True)
    if reset.state is not ResetState.ASKED:
        raise Refused("decided", f"这份申请{reset.state.chinese}，不能再办理。请刷新页面查看。")
    if not reset.may_decide(who):
        raise Refused("two_persons", "重置要由申请人和本人以外的另一人核准。")
    if not agrees and not comment.strip():
        raise Refused("comment_missing", "不同意时请写明原因。")
    reset.state = ResetState.DONE if agrees else ResetState.REFUSED
    reset.decided_by, reset.decided_at, reset.comment = who.account_id, now, comment.strip()[:2000]
    if agrees:
        second_factor.turn_off(session, reset.account)
    session.flush()


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Resets that wait for this person's word."""
    if not viewer.has(Role.ADMINISTRATOR, *SECOND):
        return []
    found = session.scalars(visible(FactorReset, viewer).where(FactorReset.state == ResetState.ASKED).order_by(FactorReset.id))
    return [Todo(f"核准重置两步验证：{one.account.name}", "accounts.factor_resets", {}, one.reason) for one in found if one.may_decide(viewer)]
