"""The picture of a school's seal on its certificates, and a specimen to look at before the first one is made."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing.duties import require_duty
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.printing import Drawing, drawing
from qbank.kernel.times import local_date
from scoring.certificates.face import Face, draw
from scoring.certificates.models import IssuerSeal

MEGABYTES = 2
NOBODY = "0" * 18  # the identity number on specimens


def seal_of(session: Session, institution: Institution) -> IssuerSeal | None:
    """The newest picture of a school's seal."""
    return session.scalars(sa.select(IssuerSeal).where(IssuerSeal.institution_id == institution.id)
                           .order_by(IssuerSeal.id.desc()).limit(1)).first()


def set_seal(session: Session, institution: Institution, upload: FileStorage | None, who: Viewer, *, now: datetime) -> IssuerSeal:
    """Print this picture on the certificates made from now on. PNG, best with a transparent ground."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    picture = attachments.keep(session, upload, who, kinds=(attachments.PNG,), most_megabytes=MEGABYTES, now=now)
    made = IssuerSeal(institution_id=institution.id, picture_id=picture.id, set_by=who.account_id, at=now)
    session.add(made)
    session.flush()
    return made


def picture_of(session: Session, institution: Institution) -> Drawing | None:
    """What is printed; None where no seal is set."""
    seal = seal_of(session, institution)
    if seal is None:
        return None
    return drawing(attachments.path_of(session, seal.picture).read_bytes(), seal.picture.media_type)


def specimen(session: Session, institution: Institution, public_url: str, *, now: datetime) -> bytes:
    """A certificate of nobody, marked as void all over."""
    face = Face(number=f"{institution.certificate_prefix or 'X' + '0' * 12}00" + "4" + "000000", holder="（样张）", identity_number=NOBODY,
                occupation="电工", occupation_code="6-31-01-03", work_type="", level=4, issuer=institution.name,
                issued_on=local_date(now), seal=picture_of(session, institution), specimen=True)
    return draw(face, public_url, made_at=now)
