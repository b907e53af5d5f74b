"""Numbers that item versions and papers carry, one set for each run over the responses of a bank."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.items.models import BANK_ROLES, ItemVersion, occupation_code_of
from qbank.kernel.access import Viewer
from qbank.kernel.db import Base, Id, Line
from qbank.standards.models import WeightTable

COMPUTED = "computed from stored responses; a new run never changes an old one"


class StatisticRun(Base):
    """One computation over all real sittings of one bank. Runs are kept: they are the history."""

    __tablename__ = "statistic_runs"
    __unaudited__ = COMPUTED

    id: Mapped[Id]
    institution_id: Mapped[int] = mapped_column(sa.ForeignKey("institutions.id"), index=True)
    table_id: Mapped[int] = mapped_column(sa.ForeignKey("weight_tables.id"), index=True)
    made_at: Mapped[datetime]  # as of: no response that came later is in it
    occasion: Mapped[Line] = mapped_column(default="")  # what caused it: a sitting's name, or somebody's wish
    persons: Mapped[int]
    sittings: Mapped[int]
    model: Mapped[str] = mapped_column(sa.String(10), default="")  # of the calibration; empty: none was stored
    converged: Mapped[bool | None]  # null: not tried
    log_likelihood: Mapped[float | None]
    gradient_norm: Mapped[float | None]
    iterations: Mapped[int | None]
    nodes: Mapped[int | None]
    scale: Mapped[dict[str, Any]]  # the link onto the bank's scale: slope, intercept, anchors with their drift; {}: first
    abilities: Mapped[list[Any]] = mapped_column(default=list)  # middle and persons of each quarter of a unit
    notes: Mapped[list[Any]] = mapped_column(default=list)  # sentences: why something is missing
    table: Mapped[WeightTable] = relationship()
    forms: Mapped[list[FormStatistic]] = relationship(back_populates="run", order_by="FormStatistic.id")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return viewer.reach(cls.institution_id, *BANK_ROLES, occupation=occupation_code_of(cls.table_id))


class ItemStatistic(Base):
    """Statistics of one version in one run; the newest of a version is ``current``. Null: not defined or n too small."""

    __tablename__ = "item_statistics"
    __table_args__ = (sa.UniqueConstraint("version_id", "run_id"),
                      sa.Index("uq_item_statistics_current", "version_id", unique=True,
                               sqlite_where=sa.text("current"), postgresql_where=sa.text("current")))
    __unaudited__ = COMPUTED

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id", ondelete="CASCADE"))
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("statistic_runs.id"), index=True)
    current: Mapped[bool] = mapped_column(default=True)
    n: Mapped[int]
    difficulty: Mapped[float | None]  # share correct, as counted, whatever n
    difficulty_low: Mapped[float | None]
    difficulty_high: Mapped[float | None]
    shrunk: Mapped[float | None]  # share correct of persons and experts together; what stands for a small n
    expert: Mapped[float | None]  # the share that reviewers or the author expected
    item_rest: Mapped[float | None]  # point-biserial with the rest score on the candidate's own paper
    biserial: Mapped[float | None]
    upper_lower: Mapped[float | None]  # upper minus lower 27 %
    b_index: Mapped[float | None]  # P(correct | passed) - P(correct | failed)
    omitted: Mapped[int]
    not_reached: Mapped[int] = mapped_column(default=0)
    choices: Mapped[dict[str, int]] = mapped_column(sa.JSON)  # answer -> count
    options: Mapped[list[Any]]  # one for each option: letter, share, by_group (fifths), point_biserial
    a: Mapped[float | None]
    b: Mapped[float | None]
    c: Mapped[float | None]
    se_a: Mapped[float | None]
    se_b: Mapped[float | None]
    se_c: Mapped[float | None]
    fit_p: Mapped[float | None]  # of S-X²
    infit: Mapped[float | None]
    outfit: Mapped[float | None]
    intervals: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of the other classical numbers: name -> [low, high]
    drift_p: Mapped[float | None]  # of the share right rising over the sittings, adjusted for the number of items
    observed: Mapped[list[Any]]  # ability groups: theta, share right, n; for the fit plot
    computed_at: Mapped[datetime]
    version: Mapped[ItemVersion] = relationship()
    run: Mapped[StatisticRun] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.version.has(ItemVersion.visible_to(viewer))


class FormStatistic(Base):
    """Statistics of one paper in one run. Shares are of the paper's greatest score."""

    __tablename__ = "form_statistics"
    __table_args__ = (sa.UniqueConstraint("run_id", "paper_id"),)
    __unaudited__ = COMPUTED

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("statistic_runs.id"), index=True)
    paper_id: Mapped[int] = mapped_column(index=True)  # of qbank.papers, a room above: a number, not a foreign key
    name: Mapped[Line]
    n: Mapped[int]
    items: Mapped[int]
    mean: Mapped[float | None]
    sd: Mapped[float | None]
    passed: Mapped[int]
    figures: Mapped[dict[str, Any]]  # name -> number or null: alpha, sem, consistency, equated cut, their intervals
    versions: Mapped[list[Any]]  # item version ids, so that curves can be drawn
    worth: Mapped[list[Any]] = mapped_column(default=list)  # half-points of each, in the same order
    distribution: Mapped[list[Any]]  # persons with each share of the score, in twentieths
    run: Mapped[StatisticRun] = relationship(back_populates="forms")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.run.has(StatisticRun.visible_to(viewer))
