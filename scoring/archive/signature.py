"""The signature under a manifest: the key that signs the school's certificates (``scoring.certificates.signing``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from qbank.kernel.settings import Settings
from scoring.certificates.credential import key_id, public_key
from scoring.certificates.signing import FILE_NAME, Seal


def sign(manifest: bytes, seal: Seal) -> Mapping[str, Any]:
    """The public key as a JSON Web Key and RSASSA-PKCS1-v1_5 with SHA-256 over the manifest's bytes."""
    return {"key": public_key(seal), "signature": seal.key.sign(manifest, padding.PKCS1v15(), hashes.SHA256())}


def key_names(settings: Settings, *, now: datetime) -> list[str]:
    """The thumbprint of this installation's key; none before anything was signed here."""
    return [key_id(Seal.of(settings.folder, now=now))] if (settings.folder / FILE_NAME).exists() else []
