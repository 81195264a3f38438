"""What is named as a file of certificates is one, or it is said what it is."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from daemon.authorities import authority_problem, authority_rule

_KEY = ("mail", "ca_file")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def revocations() -> bytes:
    """A list of revoked certificates, which is PEM and no certificate."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    listed = x509.CertificateRevocationListBuilder(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example")]), now, now + timedelta(days=1)
    )
    return listed.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM)


def test_authorities_are_taken_and_so_is_no_file_at_all(authority: trustme.CA, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    for one in (authority, trustme.CA()):
        one.cert_pem.write_to_path(str(path), append=True)
        assert list(authority_rule(str(path), _KEY)) == []
    assert list(authority_rule("", _KEY)) == []


def test_what_holds_no_certificate_is_said(authority: trustme.CA, tmp_path: Path) -> None:
    certificate = authority.cert_pem.bytes()
    for name, content in {
        "empty.pem": b"",
        "text.pem": b"no certificate",
        "key.pem": authority.private_key_pem.bytes(),
        "half.pem": certificate[: len(certificate) // 2],
        "revoked.pem": revocations(),
        "ca.der": ssl.PEM_cert_to_DER_cert(certificate.decode()),
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        [rule] = authority_rule(str(path), _KEY)
        assert rule.path == _KEY
        assert rule.problem == f'"{path}" holds no certificate in PEM'


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert authority_problem(str(tmp_path)) == f'there is no file "{tmp_path}"'
    assert authority_problem(f"{tmp_path}/none.pem") == f'there is no file "{tmp_path}/none.pem"'
