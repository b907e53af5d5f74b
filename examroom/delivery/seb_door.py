"""Whether the request at the door comes from Safe Exam Browser, where the sitting demands it; and the way out of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import redirect, request, url_for
from sqlalchemy.orm import Session

from examroom.delivery import seb
from examroom.delivery.blueprint import blueprint
from examroom.delivery.models import Sheet
from examroom.plans.models import Sitting
from qbank.kernel.web import settings


def require(session: Session, sheet_id: int) -> None:
    """Refuse a browser without the sitting's settings. The address is compared as the server and as people outside see it."""
    required, quit_hash = session.execute(sa.select(Sitting.seb_required, Sitting.seb_quit_hash).join(
        Sheet, Sheet.sitting_id == Sitting.id).where(Sheet.id == sheet_id)).one()
    home = settings().public_url
    seb.require(required, quit_hash, home, (request.url, home + request.full_path.rstrip("?")), request.headers.get(seb.HEADER, ""))


@blueprint.get("/exam/quit")
def seb_quit() -> Any:
    """Safe Exam Browser ends itself when it is sent here; any other browser comes to the sign-in page."""
    return redirect(url_for("delivery.sign_in"))
