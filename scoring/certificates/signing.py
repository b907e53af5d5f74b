"""The signature on certificates (PAdES, pyHanko) and the installation's own key.

The key and the root that vouches for it are made at the first use and kept in ``signing.pem`` beside the database,
readable by its owner only; the database remembers its mark, and a host without it signs nothing.
The root signs this one key and its own private half is thrown away. Such a signature shows
that a PDF is unchanged since this installation made it; a seal with legal force needs a key from a licensed provider.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore
from sqlalchemy.orm import Session

from qbank.kernel import host_keys
from qbank.kernel.jobs import Work
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings

FILE_NAME = "signing.pem"
NAME = "signing"  # among the keys that the database remembers
KEY_BITS = 3072
YEARS = 30  # a certificate must verify as long as its holder works


class Seal:
    """The signing key of one installation with its certificate and its root."""

    def __init__(self, pem: bytes) -> None:
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("not an RSA key")
        self.key = key
        self.certificate, self.root = x509.load_pem_x509_certificates(pem)

    @classmethod
    def ours(cls, session: Session, settings: Settings, *, now: datetime) -> Seal:
        """The seal of this installation, the same on every host; made and noted by whoever signs first."""
        _require_ours(session, settings.folder)
        found = cls.of(settings.folder, now=now)
        host_keys.note(session, NAME, (settings.folder / FILE_NAME).read_bytes())
        _require_ours(session, settings.folder)  # of two hosts that made one at the same time the first counts
        return found

    @classmethod
    def for_work(cls, work: Work) -> Seal:
        """As ``ours``; a key that has to be made, which takes a second, is made where nothing is locked."""
        with work.reading() as session:
            _require_ours(session, work.settings.folder)
        cls.of(work.settings.folder, now=work.now())
        with work.transaction() as session:
            return cls.ours(session, work.settings, now=work.now())

    @classmethod
    def held(cls, session: Session, settings: Settings, *, now: datetime) -> Seal | None:
        """For who writes nothing: none before anything was signed."""
        _require_ours(session, settings.folder)
        return cls.of(settings.folder, now=now) if (settings.folder / FILE_NAME).exists() else None

    @classmethod
    def of(cls, folder: Path, *, now: datetime) -> Seal:
        """The seal kept in ``folder``, made at the first use. Refuses a damaged file rather than replacing it."""
        file = folder / FILE_NAME
        if not file.exists():
            _keep(file, _new_pem(now))
        try:
            return cls(file.read_bytes())
        except ValueError:
            raise Refused("signing_key_damaged", f"签名密钥文件 {FILE_NAME} 已损坏，不能制作证书。请系统管理员从备份恢复该文件"
                                                 "（不要删除：删除后此前的证书将无法用新密钥核验）。") from None

    @property
    def root_pem(self) -> bytes:
        """The root that a PDF reader must trust to show the signature as valid."""
        return self.root.public_bytes(serialization.Encoding.PEM)

    @property
    def certificates_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM) + self.root_pem

    def sign(self, pdf: bytes, *, issuer: str, at: datetime) -> bytes:
        """``pdf`` with an invisible certifying signature that allows no change."""
        about = PdfSignatureMetadata(field_name="Signature", name=issuer, reason="颁发职业技能等级证书", certify=True,
                                     subfilter=SigSeedSubFilter.PADES, docmdp_permissions=MDPPerm.NO_CHANGES,
                                     md_algorithm="sha256")
        signer = _SignerAt(about, self._signer, at)
        # A new loop each time: this runs in request threads, which have none.
        signed = asyncio.run(signer.async_sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf))))
        content: bytes = signed.getvalue()
        return content

    @cached_property
    def _signer(self) -> _KeptKey:
        return _KeptKey(self)


class _KeptKey(Signer):
    """Signs with a key that is already loaded; pyHanko's own signer checks the whole key again for every signature."""

    def __init__(self, seal: Seal) -> None:
        certificate, root = load_certs_from_pemder_data(seal.certificates_pem)
        registry = SimpleCertificateStore.from_certs([root])  # type: ignore[no-untyped-call]  # a gap in its types
        super().__init__(signing_cert=certificate, cert_registry=registry, embed_roots=True)
        self._key = seal.key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if dry_run:
            return bytes(self._key.key_size // 8)
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class _SignerAt(PdfSigner):
    """Signs at a given time instead of reading the machine's clock."""

    def __init__(self, about: PdfSignatureMetadata, signer: Signer, at: datetime) -> None:
        super().__init__(about, signer)
        self._at = at

    def init_signing_session(self, *arguments: Any, **options: Any) -> Any:
        signing = super().init_signing_session(*arguments, **options)
        signing.system_time = self._at
        return signing


def _require_ours(session: Session, folder: Path) -> None:
    """Certificates under two keys of one installation could not be told from forged ones."""
    file = folder / FILE_NAME
    held = file.read_bytes() if file.exists() else None
    if host_keys.is_other(session, NAME, held):
        raise Refused("signing_key_elsewhere", f"{'这台主机的签名密钥与数据库登记的不同' if held else '这台主机还没有签名密钥'}，不能签名。"
                      f"请系统管理员把已制作过证书的主机（或备份）数据文件夹中的 {FILE_NAME} 复制到这台主机的 {folder}，只让运行程序的用户可读，再重试。")


def _keep(file: Path, pem: bytes) -> None:
    """Write ``file`` whole and only once: when two make it at the same time, the first one stays."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())  # the database will say that there is one
        try:
            os.link(draft, file)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            if not file.exists():
                draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _new_pem(now: datetime) -> bytes:
    root_key = rsa.generate_private_key(65537, KEY_BITS)
    key = rsa.generate_private_key(65537, KEY_BITS)
    mark = secrets.token_hex(4)
    root_name, name = _name(f"examroom 证书根 {mark}"), _name(f"examroom 证书签名 {mark}")
    root = (_certificate(root_name, root_name, root_key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certifies=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256()))
    certificate = (_certificate(name, root_name, key.public_key(), now)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(_usage(certifies=False), critical=True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
                   .sign(root_key, hashes.SHA256()))
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                               serialization.NoEncryption())
    return secret + b"".join(found.public_bytes(serialization.Encoding.PEM) for found in (certificate, root))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, now: datetime) -> x509.CertificateBuilder:
    # It begins a year back: a demo world, or a school that catches up, dates certificates before the key was made.
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=366))
            .not_valid_after(now + timedelta(days=365 * YEARS)))


def _usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature=not certifies, content_commitment=not certifies, key_encipherment=False,
                         data_encipherment=False, key_agreement=False, key_cert_sign=certifies, crl_sign=certifies,
                         encipher_only=False, decipher_only=False)
