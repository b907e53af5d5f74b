"""Making a sealed paper again (重新组卷比对): the same call on a bank in the same state gives the same items."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.papers import desk, looks, packs, sealing
from qbank.papers.models import Paper, PaperState


def reproduce(session: Session, paper: Paper, who: Viewer, *, now: datetime) -> list[str]:
    """Make the paper again from its seed, with the bank as it is now and uses as they were; what differs, empty: nothing.

    Sentences only, no items: it may be asked of a shut paper. The look is recorded.
    """
    if paper.state is not PaperState.SEALED:
        raise Refused("wrong_state", f"试卷“{paper.name}”还没有封存，没有可以比对的内容。")
    packed = packs.packed_of(session, paper)
    looks.record(session, paper, who, "reproduced", now=now)
    if packed.seed is None:
        return ["封存时没有种子：本卷不是由组卷程序选题的，不能重新组卷比对。"]
    found = [*sealing.findings(paper)]
    try:
        digest, size, forms = desk.again(session, paper, packed.seed, packed.forms)
    except Refused as refusal:
        return [*found, f"现在的题库已组不出这样的试卷：{refusal.sentence}"]
    if digest != packed.bank.get("bank_digest"):
        found.append(f"题库与组卷时不同：当时可用 {packed.bank.get('bank_size')} 道，现在 {size} 道，或题目的难度、配对有变化。")
    sealed = {row.version_id for row in packed.rows}
    best = max((len(sealed & set(form)) for form in forms), default=0)
    return found if best == len(sealed) else [*found, f"重新组卷得到的试卷与封存的试卷有 {len(sealed) - best} 道题不同。"]
