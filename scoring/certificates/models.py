"""Certificates, what left the house with full identity numbers, and public queries."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examroom.plans.models import CandidatePhoto, ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.attachments import Attachment
from qbank.kernel.db import Base, Id, Line, Versioned
from qbank.kernel.identity import IdentityKind
from scoring.results.models import Result, ResultList


class Certificate(Versioned, Base):
    """职业技能等级证书. The fields are copied from the approved result: what was issued never changes with it."""

    __tablename__ = "certificates"
    __table_args__ = (sa.CheckConstraint("(revoked_at IS NULL) = (revoked_why = '')", name="revoked"),
                      sa.CheckConstraint("length(number) = 22", name="number"),
                      sa.CheckConstraint("level BETWEEN 1 AND 5", name="level"))

    id: Mapped[Id]
    result_id: Mapped[int] = mapped_column(sa.ForeignKey("results.id"), unique=True)
    number: Mapped[str] = mapped_column(sa.String(22), unique=True)  # never used twice, not even when revoked
    holder: Mapped[Line]
    identity_hash: Mapped[str] = mapped_column(sa.String(64), index=True, info={"secret": True, "identity": "hash"})
    identity_masked: Mapped[str] = mapped_column(sa.String(18))
    identity_kind: Mapped[Line] = mapped_column(default=IdentityKind.RESIDENT.chinese, server_default=IdentityKind.RESIDENT.chinese)
    occupation: Mapped[Line]
    occupation_code: Mapped[str] = mapped_column(sa.String(16))
    work_type: Mapped[Line] = mapped_column(default="")
    level: Mapped[int]
    issuer: Mapped[Line]
    issued_on: Mapped[date]
    issued_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    photo_id: Mapped[int | None] = mapped_column(sa.ForeignKey("candidate_photos.id"))  # the one that is printed; null: none
    pdf: Mapped[bytes] = mapped_column(deferred=True)  # signed (PAdES); audited by its hash
    revoked_at: Mapped[datetime | None]
    revoked_why: Mapped[str] = mapped_column(default="")
    result: Mapped[Result] = relationship()
    photo: Mapped[CandidatePhoto | None] = relationship()
    replacements: Mapped[list[Replacement]] = relationship(back_populates="certificate", order_by="Replacement.id")

    @property
    def erased(self) -> bool:
        """Whether what identifies the holder beyond the name went after its time, the PDF with it."""
        return not self.identity_hash

    @property
    def replaced_at(self) -> datetime | None:
        """When the newest copy was made in place of the first; None for a first copy."""
        made = [one.decided_at for one in self.replacements if one.state is ReplacementState.MADE]
        return made[-1] if made else None

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.result.has(Result.list.has(ResultList.plan.has(ExamPlan.visible_to(viewer))))


class GrantedNumber(Base):
    """A number that a result has been given, before its certificate is drawn: what was given stays given.

    Drawing and signing take a while and may be broken off; the certificate made then gets the same number, so that
    serials have no gaps however many people issue at once.
    """

    __tablename__ = "granted_numbers"
    __append_only__ = frozenset()
    __unaudited__ = "never changed, and the certificate that carries the number is audited"

    id: Mapped[Id]
    result_id: Mapped[int] = mapped_column(sa.ForeignKey("results.id"), unique=True)
    number: Mapped[str] = mapped_column(sa.String(22), unique=True)
    issued_on: Mapped[date]  # its year stands in the number


class IssuerSeal(Base):
    """The picture of a school's seal on its certificates. A newer one takes its place; made certificates keep theirs."""

    __tablename__ = "issuer_seals"

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    picture_id: Mapped[int] = mapped_column(sa.ForeignKey("attachments.id"))
    set_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    institution: Mapped[Institution] = relationship()
    picture: Mapped[Attachment] = relationship()
    officer: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, Role.EXAM_OFFICER)


class ReplacementCause(enum.StrEnum):
    """Why a certificate is made once more."""

    LOST = "lost"
    DAMAGED = "damaged"
    CORRECTED = "corrected"

    @property
    def chinese(self) -> str:
        return {"lost": "遗失补发", "damaged": "损坏换发", "corrected": "信息更正换发"}[self.value]


class ReplacementState(enum.StrEnum):
    """asked → made | refused."""

    ASKED = "asked"
    MADE = "made"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        return {"asked": "待另一人核准", "made": "已补换发", "refused": "未同意"}[self.value]


class Replacement(Versioned, Base):
    """补发、换发: asked for by one officer, decided by another. The number stays; the copy before is kept here."""

    __tablename__ = "certificate_replacements"
    __table_args__ = (sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name="decided"),
                      sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_persons"))

    id: Mapped[Id]
    certificate_id: Mapped[int] = mapped_column(sa.ForeignKey("certificates.id"), index=True)
    cause: Mapped[ReplacementCause] = mapped_column(sa.Enum(ReplacementCause, native_enum=False, length=10))
    reason: Mapped[str]
    state: Mapped[ReplacementState] = mapped_column(sa.Enum(ReplacementState, native_enum=False, length=10),
                                                    default=ReplacementState.ASKED)
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # null: not decided yet
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    previous_pdf: Mapped[bytes | None] = mapped_column(deferred=True)  # null: not made
    certificate: Mapped[Certificate] = relationship(back_populates="replacements")
    asker: Mapped[Account] = relationship(foreign_keys=[asked_by])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.certificate.has(Certificate.visible_to(viewer))


class Disclosed(enum.StrEnum):
    """What was handed out."""

    CERTIFICATE = "certificate"
    ALL_CERTIFICATES = "all_certificates"
    REPORT = "report"
    CREDENTIAL = "credential"
    PHOTOS = "photos"

    @property
    def chinese(self) -> str:
        return {"certificate": "下载证书", "all_certificates": "下载全部证书", "report": "导出上报数据",
                "credential": "下载可验证凭证", "photos": "下载上报照片"}[self.value]


class Disclosure(Base):
    """A file with full identity numbers that somebody took: reading changes no row, so it is made one."""

    __tablename__ = "certificate_disclosures"
    __append_only__ = frozenset()

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("result_lists.id"), index=True)
    certificate_id: Mapped[int | None] = mapped_column(sa.ForeignKey("certificates.id"))  # null: the whole list
    what: Mapped[Disclosed] = mapped_column(sa.Enum(Disclosed, native_enum=False, length=20))
    people: Mapped[int]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    account: Mapped[Account] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.list_id.in_(sa.select(ResultList.id).where(ResultList.visible_to(viewer)))
