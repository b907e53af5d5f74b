"""The signature under a manifest: the key that signs the school's certificates (``scoring.certificates.signing``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from sqlalchemy.orm import Session

from qbank.kernel.settings import Settings
from scoring.certificates.credential import key_id, public_key
from scoring.certificates.signing import Seal


def sign(manifest: bytes, seal: Seal) -> Mapping[str, Any]:
    """The public key as a JSON Web Key and RSASSA-PKCS1-v1_5 with SHA-256 over the manifest's bytes."""
    return {"key": public_key(seal), "signature": seal.key.sign(manifest, padding.PKCS1v15(), hashes.SHA256())}


def key_names(session: Session, settings: Settings, *, now: datetime) -> list[str]:
    """The thumbprint of this installation's key; none before anything was signed here."""
    seal = Seal.held(session, settings, now=now)
    return [key_id(seal)] if seal else []
