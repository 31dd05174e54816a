"""The demo's certificates: private, verifiable by a strict TLS client, renewed when they must be."""

import ssl
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from gateway.demo import pki
from tests.support.clock import FakeClock


def test_files_are_readable_by_their_owner_only(tmp_path: Path, clock: FakeClock) -> None:
    ca = pki.ensure_ca(tmp_path, clock)
    leaf = pki.ensure_leaf(tmp_path, "gateway", ["localhost", "127.0.0.1"], ca, clock)
    for path in (ca.certificate, ca.key, leaf.certificate, leaf.key):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_strict_context_takes_the_pair(tmp_path: Path, clock: FakeClock) -> None:
    ca = pki.ensure_ca(tmp_path, clock)
    leaf = pki.ensure_leaf(tmp_path, "gateway", ["localhost", "127.0.0.1"], ca, clock)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(leaf.certificate, leaf.key)
    certificate = x509.load_pem_x509_certificate(leaf.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.certificate.read_bytes()))


def test_a_second_run_keeps_what_is_good(tmp_path: Path, clock: FakeClock) -> None:
    ca = pki.ensure_ca(tmp_path, clock)
    leaf = pki.ensure_leaf(tmp_path, "gateway", ["localhost"], ca, clock)
    before = leaf.certificate.read_bytes()
    assert pki.ensure_ca(tmp_path, clock) == ca
    assert pki.ensure_leaf(tmp_path, "gateway", ["localhost"], ca, clock).certificate.read_bytes() == before


def test_a_leaf_is_renewed_before_it_ends_and_when_the_names_change(tmp_path: Path, clock: FakeClock) -> None:
    ca = pki.ensure_ca(tmp_path, clock)
    first = pki.ensure_leaf(tmp_path, "gateway", ["localhost"], ca, clock).certificate.read_bytes()
    other = pki.ensure_leaf(tmp_path, "gateway", ["localhost", "::1"], ca, clock).certificate.read_bytes()
    assert other != first
    clock.advance(timedelta(days=pki.LEAF_DAYS - 3))
    renewed = pki.ensure_leaf(tmp_path, "gateway", ["localhost", "::1"], ca, clock).certificate.read_bytes()
    assert renewed != other


def test_a_new_ca_brings_new_leaves(tmp_path: Path, clock: FakeClock) -> None:
    ca = pki.ensure_ca(tmp_path, clock)
    first = pki.ensure_leaf(tmp_path, "gateway", ["localhost"], ca, clock).certificate.read_bytes()
    clock.advance(timedelta(days=pki.CA_DAYS))
    ca = pki.ensure_ca(tmp_path, clock)
    assert pki.ensure_leaf(tmp_path, "gateway", ["localhost"], ca, clock).certificate.read_bytes() != first
