"""The blueprint that the view modules of this room share, and the address of the exam page's scripts."""

import hashlib
from pathlib import Path

from flask import Blueprint

CLIENT = Path(__file__).parent / "client"
FOREVER = 365 * 24 * 3600
SCRIPTS = sorted(path.name for path in CLIENT.glob("*.js") if path.name != "hall.js")  # of the exam page


def _digest() -> str:
    """Changes with any file of the page, so that a browser may keep them all for good and a start fetches none."""
    found = hashlib.sha256()
    for path in sorted(CLIENT.iterdir()):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


class _Room(Blueprint):
    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return FOREVER


# A bundle would do the same with a build step; modules import each other by relative names, so the folder carries the mark.
blueprint = _Room("delivery", __name__, static_folder="client", static_url_path=f"/exam/client/{_digest()}")
blueprint.app_context_processor(lambda: {"exam_scripts": SCRIPTS})
