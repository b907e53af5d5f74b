"""The machine-readable twin of a certificate: an Open Badges 3.0 credential, which is a W3C Verifiable Credential, as a JWT.

Its proof is the "JSON Web Token Proof Format" of Open Badges 3.0 (section 8.2): RS256 by the key that also signs the PDFs,
the public half in the header and under ``/certificates/keys.json``. The identity number stands in it as a salted hash
only: whoever knows the number can compare it, nobody can read it. Revoked credentials are listed by their ids, which say
nothing to those who do not hold the credential.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime, time
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

from qbank.kernel.identity import IdentityCipher
from qbank.kernel.times import SHANGHAI
from qbank.standards.models import LEVEL_NAMES
from scoring.certificates.models import Certificate
from scoring.certificates.signing import Seal

CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
SALT_CHARACTERS = 16


def credential_id(certificate: Certificate, cipher: IdentityCipher) -> str:
    """The same for every copy of a certificate; cannot be told from its number without the installation's key."""
    return f"urn:uuid:{uuid.UUID(cipher.lasting('credential:' + certificate.number)[:32])}"


def credential(certificate: Certificate, identity_number: str, cipher: IdentityCipher, public_url: str) -> dict[str, Any]:
    """The unsigned credential as Open Badges 3.0 lays it out (``OpenBadgeCredential``)."""
    issuer = {"id": f"{public_url}/certificates/issuers/{certificate.number[:13]}", "type": ["Profile"], "name": certificate.issuer}
    salt = cipher.lasting("salt:" + certificate.number)[:SALT_CHARACTERS]
    hashed = hashlib.sha256((identity_number + salt).encode()).hexdigest()
    begins = datetime.combine(certificate.issued_on, time(), SHANGHAI)
    title = f"{certificate.occupation}{'（' + certificate.work_type + '）' if certificate.work_type else ''} {LEVEL_NAMES[certificate.level]}"
    return {
        "@context": CONTEXTS, "id": credential_id(certificate, cipher), "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "职业技能等级证书", "issuer": issuer, "validFrom": begins.isoformat(),
        "credentialSubject": {
            "id": f"urn:uuid:{uuid.UUID(cipher.lasting('holder:' + cipher.lasting(identity_number))[:32])}",
            "type": ["AchievementSubject"], "licenseNumber": certificate.number,
            "identifier": [
                {"type": "IdentityObject", "identityType": "name", "hashed": False, "identityHash": certificate.holder},
                {"type": "IdentityObject", "identityType": "nationalIdentityNumber", "hashed": True, "salt": salt,
                 "identityHash": f"sha256${hashed}"}],
            "achievement": {
                "id": f"{public_url}/certificates/achievements/{certificate.occupation_code}/{certificate.level}",
                "type": ["Achievement"], "achievementType": "Certification", "name": title,
                "humanCode": f"{certificate.occupation_code}/{certificate.level}",
                "description": f"国家职业技能等级：{title}（职业编码 {certificate.occupation_code}）",
                "criteria": {"narrative": "按国家职业技能标准参加职业技能等级认定，各部分成绩均合格。"}}},
        "credentialStatus": {"id": f"{public_url}/certificates/revocations.json", "type": "1EdTechRevocationList"},
    }


def signed(certificate: Certificate, identity_number: str, cipher: IdentityCipher, seal: Seal, public_url: str) -> str:
    """The credential as a compact JWT. Its claims are the credential itself with ``iss``, ``jti``, ``sub`` and ``nbf``."""
    held = credential(certificate, identity_number, cipher, public_url)
    begins = datetime.fromisoformat(held["validFrom"]).astimezone(UTC)
    claims = {**held, "iss": held["issuer"]["id"], "jti": held["id"], "sub": held["credentialSubject"]["id"], "nbf": begins}
    return jwt.encode(claims, seal.key, algorithm="RS256", headers={"kid": f"{public_url}/certificates/keys.json#{key_id(seal)}",
                                                                    "jwk": public_key(seal), "typ": "vc+jwt"})


def public_key(seal: Seal) -> dict[str, str]:
    """The public half as a JSON Web Key (RFC 7517)."""
    held = RSAAlgorithm.to_jwk(seal.key.public_key(), as_dict=True)
    return {"kty": "RSA", "n": held["n"], "e": held["e"]}


def key_id(seal: Seal) -> str:
    """The thumbprint of the key (RFC 7638): SHA-256 over its required members in the order of their names."""
    plain = json.dumps(public_key(seal), sort_keys=True, separators=(",", ":"))
    return base64url_encode(hashlib.sha256(plain.encode()).digest()).decode()


def keys(seal: Seal) -> dict[str, Any]:
    """The key set that others fetch."""
    return {"keys": [{**public_key(seal), "kid": key_id(seal), "use": "sig", "alg": "RS256"}]}
