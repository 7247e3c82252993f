"""A real Keycloak for tests, as a process of its own.

``tools/get_keycloak.sh`` brings it. Realms are made of JSON as its console exports it,
and stay over a restart.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fyr.core.testing.ports import free_port

#: Where the script puts it.
CACHED = Path("~/.cache/fyr/keycloak-26.4.0").expanduser()
#: What its script runs, so that there is no shell between; made to start fast.
_JAVA = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    f"-Dkc.home.dir={CACHED}",
    f"-Djboss.server.config.dir={CACHED}/conf",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
    "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "-cp",
    f"{CACHED}/lib/quarkus-run.jar",
    "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
)
_PATIENCE_SECONDS = 900
_TOKEN = "protocol/openid-connect/token"


@dataclass
class KeycloakServer:
    """A running server, whose administrator is ``fyr``."""

    #: ``http://127.0.0.1:PORT``
    url: str
    password: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def issuer(self, realm: str) -> str:
        """Tell what tokens of a realm have as ``iss``."""
        return f"{self.url}/realms/{realm}"

    def tokens(self, realm: str, **form: str) -> dict[str, Any]:
        """Ask the token endpoint.

        :raises RuntimeError: it refuses, with what it says.
        """
        url = f"{self.issuer(realm)}/{_TOKEN}"
        answer: dict[str, Any] = _call("POST", url, urlencode(form).encode())
        return answer

    def administer(self, method: str, path: str, body: Any = None) -> Any:
        """Call the admin API, below ``/admin/realms``."""
        own = self.tokens(
            "master",
            grant_type="password",
            client_id="admin-cli",
            username="fyr",
            password=self.password,
        )
        return _call(
            method,
            f"{self.url}/admin/realms{path}",
            json.dumps(body).encode() if body is not None else None,
            {
                "Authorization": f"Bearer {own['access_token']}",
                "Content-Type": "application/json",
            },
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        port = self.url.rpartition(":")[2]
        names = {
            "KC_BOOTSTRAP_ADMIN_USERNAME": "fyr",
            "KC_BOOTSTRAP_ADMIN_PASSWORD": self.password,
        }
        options = [
            "--optimized",
            "--cache=local",
            "--http-enabled=true",
            "--http-host=127.0.0.1",
            f"--http-port={port}",
            f"--hostname={self.url}",
            "--log-level=warn",
            f"--db-url=jdbc:h2:file:{self.folder}/h2;NON_KEYWORDS=VALUE",
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["java", *_JAVA, "start", *options],
                stdout=log,
                stderr=log,
                env={**os.environ, **names},
            )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                _call("GET", self.issuer("master"))
            except (OSError, RuntimeError):
                time.sleep(0.2)
            else:
                return
        self.stop(signal.SIGKILL)
        said = (self.folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"Keycloak does not answer: {said}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the server; its realms stay, for :meth:`start`."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=180)


def available() -> str:
    """Tell why there is no Keycloak; empty when there is one."""
    if (CACHED / "bin/kc.sh").exists() and shutil.which("java"):
        return ""
    return "run tools/get_keycloak.sh, which needs java and mvn"


@contextmanager
def running_keycloak(realms: list[Mapping[str, Any]]) -> Iterator[KeycloakServer]:
    """Start a server in a temporary folder, make realms, and end it after."""
    folder = Path(tempfile.mkdtemp(prefix="fyr-keycloak-"))
    server = KeycloakServer(f"http://127.0.0.1:{free_port()}", uuid.uuid4().hex, folder)
    try:
        server.start()
        for realm in realms:
            server.administer("POST", "", realm)
        yield server
    finally:
        server.stop(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _call(
    method: str,
    url: str,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    # Not by way of a proxy: it is here.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")[:500]
        raise RuntimeError(f"{method} {url}: {error.code} {said}") from None
    return json.loads(body) if body else None
