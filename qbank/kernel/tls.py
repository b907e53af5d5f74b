"""TLS without anybody's help: a certificate authority of this installation's own, and a server certificate made by it.

The authority signs nothing but this server. Its certificate (``tls/ca.pem``) is what computers are told to trust; the
server's is made anew when its names change or it ends soon. All keys are readable by their owner only.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_YEARS = 10
SERVER_DAYS = 397  # what browsers accept at most
RENEW_DAYS = 30
SKEW = timedelta(days=1)  # a computer whose clock is a little late still believes it
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class ServerCertificate:
    """Files in PEM for the server, and the authority to trust."""

    certificate: Path
    key: Path
    authority: Path
    names: tuple[str, ...]


def own_names() -> tuple[str, ...]:
    """What this computer is called and its addresses, as far as it knows them."""
    host = socket.gethostname()
    found = {"localhost", "127.0.0.1", host.lower()}
    try:
        found |= {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, socket.AF_INET)}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
            outward.connect(("192.0.2.1", 9))  # sends nothing; says by which address this computer would go out
            found.add(str(outward.getsockname()[0]))
    except OSError:
        pass  # a computer without a network serves itself
    return tuple(sorted(found))


def ensure(folder: Path, names: Sequence[str], *, now: datetime) -> ServerCertificate:
    """The server's certificate for ``names`` (host names and addresses), made where there is none that will do.

    Raises ValueError for a name that cannot stand in a certificate.
    """
    wanted = tuple(sorted({name.strip().lower() for name in names if name.strip()}))
    alternatives = [_general_name(name) for name in wanted]
    folder.mkdir(mode=0o700, exist_ok=True)
    made = ServerCertificate(folder / "server.pem", folder / "server.key", folder / "ca.pem", wanted)
    authority, signer = _authority(folder, now)
    if not _will_do(made, authority, alternatives, now):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _builder(_named(wanted[0][:64]), authority.subject, key.public_key(), now, timedelta(days=SERVER_DAYS)).add_extension(
            x509.SubjectAlternativeName(alternatives), critical=False).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False).sign(signer, hashes.SHA256())
        _keep_key(made.key, key)
        made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return made


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate as people compare it: ``AB:CD:…``."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256()).hex(":").upper()


def ends_at(certificate: Path) -> datetime:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, Key]:
    certificate, key = folder / "ca.pem", folder / "ca.key"
    if not key.exists() or not certificate.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        name = _named(f"examroom {socket.gethostname()}"[:64])
        signed = _builder(name, name, made.public_key(), now, timedelta(days=365 * CA_YEARS)).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(
            x509.KeyUsage(digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
                          key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False), critical=True).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(made.public_key()), critical=False).sign(made, hashes.SHA256())
        _keep_key(key, made)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    read = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(read, Key):
        raise ValueError(f"{key} is not the authority's key; restore it from the backup")
    return x509.load_pem_x509_certificate(certificate.read_bytes()), read


def _will_do(made: ServerCertificate, authority: x509.Certificate, names: list[x509.GeneralName], now: datetime) -> bool:
    if not made.certificate.exists() or not made.key.exists():
        return False
    held = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    held_names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (held.issuer == authority.subject and list(held_names) == names
            and held.not_valid_before_utc <= now < held.not_valid_after_utc - timedelta(days=RENEW_DAYS))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lasts: timedelta) -> x509.CertificateBuilder:
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW).not_valid_after(now - SKEW + lasts))


def _named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode())


def _keep_key(file: Path, key: Key) -> None:
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
