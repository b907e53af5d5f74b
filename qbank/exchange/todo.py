"""What waits in the import for a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from qbank.items.models import ImportBatch
from qbank.items.states import BatchState
from qbank.kernel.access import Role, Viewer, visible
from qbank.kernel.todo import Todo


def todo(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """Files that this person has neither imported nor given up."""
    if not viewer.has(Role.ITEM_AUTHOR):
        return []
    waiting = visible(ImportBatch, viewer).where(ImportBatch.state.in_([BatchState.PREVIEWED, BatchState.MAPPING]),
                                                 ImportBatch.uploader_id == viewer.account_id)
    return [Todo(f"确认导入“{batch.file_name}”", "exchange.show", {"batch_id": batch.id}, "文件已检查，尚未导入或放弃", clause="五（一）")
            if batch.state is BatchState.PREVIEWED else
            Todo(f"指定“{batch.file_name}”的各列", "exchange.columns", {"batch_id": batch.id}, "表头不是题库的格式，尚未读取", clause="五（一）")
            for batch in session.scalars(waiting.order_by(ImportBatch.id))]
