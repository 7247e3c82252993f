"""Connections that are made to addresses which the policy has looked at, and no other.

urllib3's own would look a name up for itself, and might be told another address than the
policy was.
"""

from __future__ import annotations

import socket
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util import create_urllib3_context

from fyr.core.outgoing.policy import ReachPolicy
from fyr.core.outgoing.time_limits import watch
from fyr.core.outgoing.tls import ClientTls


def pool_manager(
    policy: ReachPolicy, tls: ClientTls, *, pools: int, connections: int = 4
) -> PoolManager:
    """Make what keeps connections.

    :param pools: hosts that some are kept to.
    :param connections: how many are kept to one host.
    :raises OSError: a file of certificates cannot be read.
    """
    context = create_urllib3_context()
    if tls.ca is not None:
        context.load_verify_locations(str(tls.ca))
    else:
        context.load_default_certs()
    if tls.certificate is not None:
        context.load_cert_chain(str(tls.certificate), tls.key and str(tls.key))
    manager = PoolManager(pools, maxsize=connections, ssl_context=context)
    manager.pool_classes_by_scheme = {
        "http": _with(policy, HTTPConnectionPool, HTTPConnection, encrypted=False),
        "https": _with(policy, HTTPSConnectionPool, HTTPSConnection, encrypted=True),
    }
    return manager


def _with(policy: ReachPolicy, pool: Any, base: Any, *, encrypted: bool) -> Any:
    """Make a class of pools, whose connections ask this policy."""

    class Connection(base):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            opened = _connected(self, policy, encrypted)
            watch(opened)
            return opened

        def request(self, *arguments: Any, **options: Any) -> None:
            # One that was kept is watched too.
            watch(self.sock)
            super().request(*arguments, **options)

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})


def _connected(connection: Any, policy: ReachPolicy, encrypted: bool) -> socket.socket:
    problem: OSError | None = None
    for address in policy.addresses(
        connection.host, connection.port, encrypted=encrypted
    ):
        try:
            opened = socket.create_connection(
                (address, connection.port), connection.timeout
            )
        except OSError as error:
            problem = error
        else:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
    if isinstance(problem, TimeoutError):
        raise ConnectTimeoutError(connection, "timed out") from problem
    raise NewConnectionError(connection, "no connection") from problem
