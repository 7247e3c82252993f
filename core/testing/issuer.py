"""An OpenID provider for tests: real HTTP on this machine, keys that change, and tokens.

with issuing() as issuer:
    ...  # IssuerSettings(**issuer.settings())
    client.with_headers(Authorization=f"Bearer {issuer.token()}")
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey, import_key

from fyr.core.clock import Clock, utc_now
from fyr.core.testing.ports import free_port

AUDIENCE = "EHealth"
#: ``[plugin.access_control.tokens]`` of a test whose machine has much to do: the first
#: keys may come late, and a request waits for them.
PATIENT = {"wait_seconds": 10, "fetch_seconds": 60}
_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
#: Private keys that no issuer has at the moment, by type.
_AT_HAND: dict[str, list[dict[str, Any]]] = {"RSA": [], "EC": []}


class TestIssuer:
    """One realm; ``fetched`` counts what was asked for, by path below the issuer."""

    # pytest collects classes by this name.
    __test__ = False

    def __init__(self, url: str, algorithm: str, clock: Clock) -> None:
        """Take the URL that is in its tokens as ``iss``."""
        self.url = url
        self.algorithm = algorithm
        self.clock = clock
        self.fetched: Counter[str] = Counter()
        #: while it is not set, nothing is answered
        self.answers = threading.Event()
        self.answers.set()
        #: set each time that somebody asks for the keys
        self.asked = threading.Event()
        #: documents to serve instead of its own, by path
        self.instead: dict[str, bytes] = {}
        self.keys: list[Key] = []
        self._used: list[Key] = []
        self.rotate()

    def rotate(self, *, keep: bool = True) -> Key:
        """Sign with a new key from now on; the old ones stay published, or do not."""
        kid = f"key-{len(self.keys) + 1}-{id(self):x}"
        parameters = {"kid": kid, "use": "sig", "alg": self.algorithm}
        made = _private_key(_TYPES[self.algorithm[:2]], parameters)
        self._used.append(made)
        self.keys = [*self.keys, made] if keep else [made]
        return made

    def give_back(self) -> None:
        """Let later issuers have the keys: making one takes long."""
        for key in self._used:
            _AT_HAND[key.key_type].append(key.as_dict(private=True))
        self._used = []

    def settings(self, **more: Any) -> dict[str, Any]:
        """Give what a deployer would write of this issuer."""
        own = {"issuer": self.url, "audiences": [AUDIENCE]}
        return {**own, "algorithms": [self.algorithm], **more}

    def claims(self, **more: Any) -> dict[str, Any]:
        """Give the claims of a good access token, with others over them.

        A claim that is given as ``None`` is left out.
        """
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.url,
            "aud": [AUDIENCE, "account"],
            "sub": "7e2f7e0c-0000-4000-8000-000000000001",
            "typ": "Bearer",
            "azp": "test-client",
            "iat": now,
            "exp": now + 300,
            "user_type": "PRACTITIONER",
            "user_id": "https://organization.example.org/fhir/Practitioner/1",
            "realm_access": {"roles": ["Patient.read"]},
            "context": {},
            "scope": "openid",
        }
        return {
            name: value
            for name, value in {**claims, **more}.items()
            if value is not None
        }

    def token(
        self,
        *,
        key: Key | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Sign an access token.

        :param key: another key than the latest of this issuer.
        :param header: header parameters over the usual ones.
        :param claims: claims over those of :meth:`claims`.
        """
        key = key or self.keys[-1]
        usual = {"alg": self.algorithm, "kid": key.kid}
        return jwt.encode(
            {**usual, **(header or {})},
            self.claims(**claims),
            key,
            algorithms=[self.algorithm],
        )

    def document(self, path: str) -> bytes | None:
        """Give what is published at a path below the issuer."""
        if path in self.instead:
            return self.instead[path]
        if path == "/.well-known/openid-configuration":
            described = {"issuer": self.url, "jwks_uri": f"{self.url}/certs"}
            return json.dumps(described).encode()
        if path == "/certs":
            keys = [key.as_dict(private=False) for key in self.keys]
            return json.dumps({"keys": keys}).encode()
        return None


class TestProvider:
    """A server with any number of realms; it can be away, and come back."""

    __test__ = False

    def __init__(self, clock: Clock = utc_now) -> None:
        """Serve on a free port."""
        self._clock = clock
        self.realms: dict[str, TestIssuer] = {}
        self._port = free_port()
        self._server: ThreadingHTTPServer | None = None
        self.come()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``"""
        return f"http://127.0.0.1:{self._port}"

    def realm(self, name: str, algorithm: str = "ES256") -> TestIssuer:
        """Make a realm."""
        issuer = TestIssuer(f"{self.url}/realms/{name}", algorithm, self._clock)
        self.realms[name] = issuer
        return issuer

    def come(self) -> None:
        """Listen, on the same port as before."""
        if self._server is not None:
            return
        handler = type("Handler", (_Handler,), {"realms": self.realms})
        server = ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._server = server
        self._thread = threading.Thread(
            target=lambda: server.serve_forever(poll_interval=0.02),
            name="fyr-test-issuer",
        )
        self._thread.start()

    def leave(self) -> None:
        """Refuse connections until :meth:`come`."""
        for issuer in self.realms.values():
            issuer.answers.set()
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


@contextmanager
def providing(clock: Clock = utc_now) -> Iterator[TestProvider]:
    """Run a provider until the end."""
    provider = TestProvider(clock)
    try:
        yield provider
    finally:
        provider.leave()
        for issuer in provider.realms.values():
            issuer.give_back()


def _private_key(kind: str, parameters: Any) -> Key:
    if _AT_HAND[kind]:
        return import_key({**_AT_HAND[kind].pop(), **parameters})
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)
    return ECKey.generate_key("P-256", parameters)


@contextmanager
def issuing(algorithm: str = "ES256", clock: Clock = utc_now) -> Iterator[TestIssuer]:
    """Run a provider with one realm until the end."""
    with providing(clock) as provider:
        yield provider.realm("test", algorithm)


class _Handler(BaseHTTPRequestHandler):
    realms: Mapping[str, TestIssuer]

    def do_GET(self) -> None:
        """Answer what a realm publishes."""
        _, _, name, *rest = self.path.split("/")
        issuer, path = self.realms.get(name), "/" + "/".join(rest)
        body = None
        if issuer is not None:
            issuer.fetched[path] += 1
            if path == "/certs":
                issuer.asked.set()
            issuer.answers.wait(60)
            body = issuer.document(path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        """Keep tests quiet."""
