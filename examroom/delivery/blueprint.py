"""The blueprint that the view modules of this room share, and the address of the exam page's scripts."""

from pathlib import Path

from flask import Blueprint

from qbank.kernel.assets import digest_of

CLIENT = Path(__file__).parent / "client"
SCRIPTS = sorted(path.name for path in CLIENT.glob("*.js") if path.name != "hall.js")  # of the exam page

# A bundle would do the same with a build step; modules import each other by relative names, so the folder carries the mark.
blueprint = Blueprint("delivery", __name__, static_folder="client", static_url_path=f"/exam/client/{digest_of(CLIENT)}")
blueprint.app_context_processor(lambda: {"exam_scripts": SCRIPTS})
