"""A lean HTTP/1.1 client: one kept connection, whole answers, little CPU of its own."""

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection to a server; reconnects when the server has closed it."""

    def __init__(self, base_url: str, token: str = "") -> None:
        """Take the FHIR base, and a bearer token when the server wants one."""
        parts = urlsplit(base_url)
        self._secure = parts.scheme == "https"
        port = parts.port or (443 if self._secure else 80)
        self._address = (parts.hostname or "127.0.0.1", port)
        self._path = parts.path.rstrip("/")
        self._common = f"Host: {parts.netloc}\r\nAccept: application/fhir+json\r\n"
        if token:
            self._common += f"Authorization: Bearer {token}\r\n"
        self._socket: socket.socket | None = None
        self._buffer = b""

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/fhir+json",
    ) -> Reply:
        """Send one request and wait for its whole answer."""
        head = f"{method} {self._path}{path} HTTP/1.1\r\n{self._common}"
        if body:
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        message = head.encode() + b"\r\n" + body
        for attempt in (1, 2):
            if self._socket is None:
                self._connect()
            assert self._socket is not None
            try:
                self._socket.sendall(message)
                return self._reply()
            except (ConnectionError, TimeoutError):
                self.close()
                if attempt == 2:
                    raise
        raise AssertionError("not reached")

    def relative(self, url: str) -> str:
        """Make a link of this server a path for :meth:`request`."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(self._path)
        return f"{path}?{parts.query}" if parts.query else path

    def close(self) -> None:
        """Give the connection back."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._address, timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._secure:
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(
                self._socket, server_hostname=self._address[0]
            )

    def _reply(self) -> Reply:
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding", "") == "chunked":
            return Reply(status, headers, self._chunks())
        return Reply(
            status, headers, self._exactly(int(headers.get("content-length", 0)))
        )

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            parts.append(self._exactly(size))
            self._until(b"\r\n")
        self._until(b"\r\n")
        return b"".join(parts)

    def _until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            self._receive()
        taken, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        return taken

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _receive(self) -> None:
        assert self._socket is not None
        data = self._socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data
