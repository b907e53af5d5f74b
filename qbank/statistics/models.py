"""Numbers that item versions carry."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from qbank.items.models import ItemVersion
from qbank.kernel.access import Viewer
from qbank.kernel.db import Base, Id


class ItemStatistic(Base):
    """Classical statistics of one version, recomputed from all real sittings. Null: not defined or n too small."""

    __tablename__ = "item_statistics"
    __unaudited__ = "computed from stored responses; recomputing reproduces it"

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("item_versions.id"), unique=True)
    n: Mapped[int]
    difficulty: Mapped[float | None]  # share correct
    item_rest: Mapped[float | None]  # point-biserial with the rest score on the candidate's own paper
    b_index: Mapped[float | None]  # P(correct | passed) - P(correct | failed)
    omitted: Mapped[int]
    choices: Mapped[dict[str, int]] = mapped_column(sa.JSON)  # answer -> count
    computed_at: Mapped[datetime]
    version: Mapped[ItemVersion] = relationship()

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.ColumnElement[bool]:
        return cls.version.has(ItemVersion.visible_to(viewer))
