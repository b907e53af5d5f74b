"""Items in from any format that schools have, with preview, mending and revertable batches, and out again (导入导出).

As a library: :func:`read` and :func:`write`.
"""

from qbank.exchange.drafts import Drafts, Found, Loss, LossReport
from qbank.exchange.readers import read
from qbank.exchange.writers import write

__all__ = ["Drafts", "Found", "Loss", "LossReport", "read", "write"]
