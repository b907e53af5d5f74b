"""The room's blueprint and who sees the items of a paper."""

from __future__ import annotations

from flask import Blueprint

from qbank.kernel.web import viewer
from qbank.papers.booklet import columns_of, groups_of, in_stem, printed_key
from qbank.papers.models import Paper, PaperState
from qbank.papers.report import deviations

blueprint = Blueprint("papers", __name__, url_prefix="/papers")
TONES = {PaperState.DRAFT: "wait", PaperState.SEALED: "good", PaperState.DISCARDED: "plain"}
blueprint.add_app_template_global(TONES.__getitem__, "paper_tone")
blueprint.add_app_template_global(deviations, "paper_deviations")
blueprint.add_app_template_global(printed_key, "printed_key")
blueprint.add_app_template_global(in_stem, "has_brackets")
blueprint.add_app_template_global(columns_of, "option_columns")
blueprint.add_app_template_global(groups_of, "item_groups")


def sees_items(paper: Paper) -> bool:
    """Whether the paper's own page shows items and keys: of a draft, to the person who composed it.

    A sealed paper's items are shown by the recorded doors of ``opening_views`` alone.
    """
    return paper.state is PaperState.DRAFT and paper.composer_id == viewer().account_id
