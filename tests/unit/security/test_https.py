"""Issuers by https: only with a certificate that is trusted."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fyr.core.security.fetching import Unfetched, fetch_object
from fyr.core.testing.issuer import providing


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that only its own authority knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "here.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.fixture
def certs(certificate):
    """Where the keys of an issuer are, by https."""
    with providing() as provider:
        issuer = provider.realm("a")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = provider._server
        server.socket = context.wrap_socket(server.socket, server_side=True)
        yield f"{issuer.url}/certs".replace("http://", "https://")


def test_a_stranger_with_a_certificate_of_its_own_is_refused(certs) -> None:
    with pytest.raises(Unfetched, match="certificate"):
        fetch_object(certs, 5)


def test_an_authority_of_the_deployers_own_is_trusted(
    certs, certificate, monkeypatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert fetch_object(certs, 5)["keys"]


def test_a_certificate_for_another_name_is_refused(
    certs, certificate, monkeypatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with pytest.raises(Unfetched, match=r"certificate|Hostname"):
        fetch_object(certs.replace("127.0.0.1", "localhost"), 5)
