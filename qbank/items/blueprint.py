"""The room's blueprint, which its view modules share, and the words that its templates use."""

from __future__ import annotations

from flask import Blueprint

from qbank.items import listing
from qbank.items.states import ItemState

blueprint = Blueprint("items", __name__, url_prefix="/items")
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TONES = {ItemState.DRAFT: "plain", ItemState.SUBMITTED: "wait", ItemState.RETURNED: "bad", ItemState.APPROVED: "good",
         ItemState.IN_USE: "good", ItemState.SUSPENDED: "wait", ItemState.RETIRED: "plain", ItemState.SUPERSEDED: "plain"}
blueprint.add_app_template_global(TONES.__getitem__, "item_tone")
blueprint.add_app_template_global(listing.DIFFICULTIES.__getitem__, "difficulty_name")
