"""The machine-readable twin of a certificate, checked by hand: no library that made it reads it here."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from flask import Flask
from sqlalchemy.orm import Session

from qbank.kernel.identity import IdentityCipher
from qbank.kernel.settings import Settings
from scoring.certificates import credential, desk
from scoring.certificates.models import Certificate
from scoring.certificates.signing import Seal
from tests.conftest import MONDAY
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number
from tests.scoring.test_certificates import Enter


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    return FinalWorld(session, people)


def certificate_of(world: FinalWorld) -> Certificate:
    desk.issue(world.session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    return desk.certificates_of(world.session, world.results)[0]


def plain(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def checked(token: str, key: dict[str, str]) -> dict[str, Any]:
    """RFC 7515 by hand: RSASSA-PKCS1-v1_5 with SHA-256 over ``header.payload``."""
    header, payload, signature = token.split(".")
    modulus, exponent = (int.from_bytes(plain(key[name]), "big") for name in ("n", "e"))
    RSAPublicNumbers(exponent, modulus).public_key().verify(plain(signature), f"{header}.{payload}".encode(),
                                                            padding.PKCS1v15(), hashes.SHA256())
    found: dict[str, Any] = json.loads(plain(payload))
    return found


def signed(certificate: Certificate, settings: Settings) -> tuple[str, dict[str, str]]:
    seal = Seal.of(settings.folder, now=MONDAY)
    token = credential.signed(certificate, identity_number(0), CIPHER, seal, "https://jnrd.example.cn")
    return token, credential.keys(seal)["keys"][0]


def test_the_twin_says_what_the_certificate_says_and_hides_the_identity_number(world: FinalWorld, settings: Settings) -> None:
    certificate = certificate_of(world)
    token, key = signed(certificate, settings)
    found = checked(token, key)
    assert found["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert found["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert found["issuer"]["name"] == certificate.issuer
    assert found["validFrom"] == "2026-06-01T00:00:00+08:00"
    assert found["nbf"] == 1780243200  # 2026-05-31T16:00:00Z
    subject = found["credentialSubject"]
    assert (found["jti"], found["sub"], found["iss"]) == (found["id"], subject["id"], found["issuer"]["id"])
    assert subject["licenseNumber"] == "J000043000001264000001"
    assert (subject["achievement"]["humanCode"], subject["achievement"]["achievementType"]) == ("6-31-01-03/4", "Certification")
    name, number = subject["identifier"]
    assert name["identityHash"] == "张晓明"
    assert number["identityHash"] == "sha256$" + hashlib.sha256((identity_number(0) + number["salt"]).encode()).hexdigest()
    assert identity_number(0) not in json.dumps(found)


def test_one_changed_character_breaks_the_signature(world: FinalWorld, settings: Settings) -> None:
    token, key = signed(certificate_of(world), settings)
    header, payload, signature = token.split(".")
    held = json.loads(plain(payload))
    held["credentialSubject"]["achievement"]["humanCode"] = "6-31-01-03/1"
    forged = base64.urlsafe_b64encode(json.dumps(held).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidSignature):
        checked(f"{header}.{forged}.{signature}", key)


def test_the_header_names_the_key_that_is_published(world: FinalWorld, settings: Settings) -> None:
    token, key = signed(certificate_of(world), settings)
    header = json.loads(plain(token.split(".")[0]))
    assert (header["alg"], header["typ"]) == ("RS256", "vc+jwt")
    assert header["jwk"] == {name: key[name] for name in ("kty", "n", "e")}
    # RFC 7638: the thumbprint is the hash of {"e":..,"kty":"RSA","n":..} without spaces
    thumb = hashlib.sha256(f'{{"e":"{key["e"]}","kty":"RSA","n":"{key["n"]}"}}'.encode()).digest()
    assert key["kid"] == base64.urlsafe_b64encode(thumb).rstrip(b"=").decode()
    assert header["kid"] == f"https://jnrd.example.cn/certificates/keys.json#{key['kid']}"


def test_anybody_who_can_name_a_certificate_gets_its_twin_and_a_revoked_one_is_listed(app: Flask, world: FinalWorld, enter: Enter) -> None:
    app.config.update(WTF_CSRF_ENABLED=False)
    certificate, away = certificate_of(world), world.stranger()
    number, which = certificate.number, certificate.id
    world.session.commit()
    settings: Settings = app.extensions["examroom"]["settings"]
    assert settings.identity_key == b"i" * 32  # the world's cipher is the application's
    anybody, officer, stranger = app.test_client(), enter(world.officer), enter(away)
    asked = {"number": number, "name": "张晓明"}
    shown = anybody.post("/certificates/query", data=asked).get_data(as_text=True)
    assert "下载可验证凭证" in shown
    assert "证书上没有照片" in shown
    answer = anybody.post("/certificates/query/credential", data=asked)
    key = anybody.get("/certificates/keys.json").get_json()["keys"][0]
    found = checked(answer.get_data(as_text=True), key)
    assert (answer.mimetype, found["credentialSubject"]["licenseNumber"]) == ("application/vc+jwt", number)
    wrong = anybody.post("/certificates/query/credential", data={**asked, "name": "李四"})
    assert "没有查到" in wrong.get_data(as_text=True)
    assert anybody.post("/certificates/query/credential", data={"number": number}).status_code == 409
    assert officer.post(f"/certificates/{which}/credential").mimetype == "application/vc+jwt"
    assert stranger.post(f"/certificates/{which}/credential").status_code == 404
    assert anybody.get("/certificates/revocations.json").get_json()["revokedCredential"] == []
    desk.revoke(world.session, certificate, world.officer, "冒名顶替", now=MONDAY)
    world.session.commit()
    assert anybody.get("/certificates/revocations.json").get_json()["revokedCredential"] == [{"id": found["id"], "revoked": True}]


def test_ids_tell_nothing_without_the_installations_key(world: FinalWorld) -> None:
    certificate = certificate_of(world)
    here = credential.credential_id(certificate, CIPHER)
    assert here == credential.credential_id(certificate, CIPHER)
    assert here != credential.credential_id(certificate, IdentityCipher(b"j" * 32))
