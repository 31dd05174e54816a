"""Certificates of the demo: one CA, and one server certificate each for the gateway and the directory.

Counterpart: `gateway.demo.folder`, which keeps them. Everything is written with mode 0600 and lives as long as the
demo's folder; nothing is put into the machine's trust store.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from common.clock import Clock

CA_DAYS: Final = 365
LEAF_DAYS: Final = 90
_RENEW_BEFORE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a certificate (PEM, with its CA behind it) and its private key (PEM) lie."""

    certificate: Path
    key: Path


def ensure_ca(folder: Path, clock: Clock) -> Pair:
    """The demo's CA, made once; made anew when it is about to end."""
    pair = Pair(folder / "ca.pem", folder / "ca.key")
    if _is_fresh(pair, clock):
        return pair
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kakehashi demo CA (this machine only)")])
    builder = _builder(name, name, key.public_key(), CA_DAYS, clock)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(ca=True), critical=True)
    _write(pair, [builder.sign(key, hashes.SHA256())], key)
    return pair


def ensure_leaf(folder: Path, stem: str, names: Sequence[str], ca: Pair, clock: Clock) -> Pair:
    """A server certificate for the names (DNS or IP) signed by the CA; made anew when it ends soon or does not fit."""
    pair = Pair(folder / f"{stem}.pem", folder / f"{stem}.key")
    issuer = x509.load_pem_x509_certificate(ca.certificate.read_bytes())
    if _is_fresh(pair, clock) and _matches(pair, issuer, names):
        return pair
    ca_key = serialization.load_pem_private_key(ca.key.read_bytes(), password=None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the demo's CA key is not an EC key")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    builder = _builder(subject, issuer.subject, key.public_key(), LEAF_DAYS, clock)
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(ca=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([_general_name(name) for name in names]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    _write(pair, [builder.sign(ca_key, hashes.SHA256()), issuer], key)
    return pair


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int, clock: Clock
) -> x509.CertificateBuilder:
    # An hour back, so that a browser on a machine with a slow clock accepts it.
    start = clock.now() - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_fresh(pair: Pair, clock: Clock) -> bool:
    if not (pair.certificate.is_file() and pair.key.is_file()):
        return False
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    return certificate.not_valid_after_utc - clock.now() > _RENEW_BEFORE


def _matches(pair: Pair, issuer: x509.Certificate, names: Sequence[str]) -> bool:
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if list(alternatives) != [_general_name(name) for name in names]:
        return False
    authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return authority.key_identifier == own.digest


def _write(pair: Pair, chain: Sequence[x509.Certificate], key: ec.EllipticCurvePrivateKey) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(pair.key, private)
    write_private(pair.certificate, b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; it never exists with wider rights, and is replaced in one step."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_bytes(content)
    fresh.replace(path)
