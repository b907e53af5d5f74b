"""Doors: the machine-readable twin of a certificate, for whoever can name it, and what is needed to check one."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Response, jsonify, render_template, request
from werkzeug.exceptions import NotFound

from qbank.kernel.access import fetch
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, identity_cipher, now, settings, viewer
from scoring.certificates import credential, public, taken
from scoring.certificates.blueprint import blueprint
from scoring.certificates.models import Certificate
from scoring.certificates.signing import Seal

JWT = "application/vc+jwt"


@blueprint.post("/query/credential")
def public_credential() -> Any:
    """By number and name as the query's answer shows them, and within the same limits."""
    asked = public.Question.read(request.form.get("number", ""), request.form.get("name", ""), "")
    try:
        found = public.ask(db(), asked, request.remote_addr or "", cipher=identity_cipher(), now=now())
    except Refused as refusal:
        return render_template("certificates/query.html", asked=asked, found=None, problem=refusal.sentence), 409
    return _token(found[0]) if found else render_template("certificates/query.html", asked=asked, found=[], problem="")


@blueprint.post("/<int:certificate_id>/credential")
def own_credential(certificate_id: int) -> Response:
    found = fetch(db(), Certificate, certificate_id, viewer())
    taken.note_credential(db(), found, viewer(), now=now())
    return _token(found)


@blueprint.get("/keys.json")
def keys() -> Any:
    return jsonify(credential.keys(_seal()))


@blueprint.get("/revocations.json")
def revocations() -> Any:
    """By ids that say nothing to those who hold no credential."""
    address = f"{settings().public_url}/certificates/revocations.json"
    revoked = db().scalars(sa.select(Certificate).where(Certificate.revoked_at.is_not(None)).order_by(Certificate.id)).all()
    return jsonify({"id": address, "type": ["1EdTechRevocationList"], "issuer": settings().public_url,
                    "revokedCredential": [{"id": credential.credential_id(one, identity_cipher()), "revoked": True} for one in revoked]})


def _seal() -> Seal:
    found = Seal.held(db(), settings(), now=now())
    if found is None:
        raise NotFound  # nothing has been signed here yet
    return found


def _token(certificate: Certificate) -> Response:
    taken.require_held(certificate)
    number = identity_cipher().decrypt(certificate.result.enrolment.candidate.identity_cipher or b"")
    content = credential.signed(certificate, number, identity_cipher(), _seal(), settings().public_url)
    return Response(content, mimetype=JWT, headers={"Content-Disposition": f"attachment; filename={certificate.number}.jwt",
                                                    "Cache-Control": "no-store"})
