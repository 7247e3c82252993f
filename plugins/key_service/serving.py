"""The Key Service API over HTTP; docs/key-service.md has the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from fyr.core import Allow, Principal, Request, Response, Route, instant
from fyr.plugins.key_service.bodies import (
    CREATE,
    KEY,
    LONG_KEY,
    Fields,
    is_key_id,
    read,
)
from fyr.plugins.key_service.describing import (
    CREATE_KEY,
    DELETE_DEVICE,
    DEVICES,
    GET_KEY,
    GET_LONG_KEY,
)
from fyr.plugins.key_service.keys import OK, UNKNOWN, Keys, Notice

if TYPE_CHECKING:
    from prometheus_client import Counter

    from fyr.core import Application, Session

BASE = "/keyservice/api"


class Serving:
    """What the resources share."""

    def __init__(self, application: Application, keys: Keys, attempts: Counter) -> None:
        """Take the keys, who is told of what is done, and what counts attempts."""
        self._application = application
        self.keys = keys
        self.attempts = attempts

    def routes(self) -> Iterator[Route]:
        """Tell where each resource is."""
        yield Route(
            f"{BASE}/createKey",
            _CreateKey(self),
            "Makes a key for a citizen who is logged in.",
            access={"POST": Allow(frozenset({"PATIENT"}))},
            operations=CREATE_KEY,
        )
        yield Route(
            f"{BASE}/key",
            _GetKey(self, "key", KEY, "secret"),
            "Gives a key for the secret that it was made with.",
            public=True,
            counted=True,
            operations=GET_KEY,
        )
        yield Route(
            f"{BASE}/longKey",
            _GetKey(self, "longKey", LONG_KEY, "long_secret"),
            "Gives a key for its long secret.",
            public=True,
            counted=True,
            operations=GET_LONG_KEY,
        )
        yield Route(
            f"{BASE}/devices",
            _Devices(self),
            "The keys of who asks.",
            access={"GET": Allow()},
            operations=DEVICES,
        )
        yield Route(
            f"{BASE}/devices/{{key_id}}",
            _Device(self),
            "One key of who asks.",
            access={"DELETE": Allow()},
            operations=DELETE_DEVICE,
        )

    def notice(
        self, req: Request, name: str, key_id: str, who: Principal | None = None
    ) -> Notice:
        """Give what tells the audit log of an operation on a key."""
        caller = req.caller
        context = replace(
            caller,
            interaction="operation",
            operation=name,
            resource_id=key_id,
            principal=who or caller.principal,
        )

        def told(session: Session, status: int) -> None:
            self._application.answered(context, session, status)

        return told


class _Resource:
    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._keys = serving.keys


class _CreateKey(_Resource):
    """``/createKey``."""

    def on_post(self, req: Request, resp: Response) -> None:
        """Make a key; nobody can ask for it again without a secret."""
        given = read(req, CREATE)

        def notice(session: Session, key_id: str) -> None:
            self._serving.notice(req, "createKey", key_id)(session, 201)

        made = self._keys.create(
            req.caller.principal,
            given["clientName"],
            given["deviceName"],
            given["secret"],
            notice,
        )
        told = {
            "result": OK,
            "keyId": made.id,
            "key": made.key,
            "longSecret": made.long_secret,
        }
        _tell(resp, told, 201)


class _GetKey:
    """``/key`` and ``/longKey``."""

    def __init__(self, serving: Serving, name: str, fields: Fields, field: str) -> None:
        """Take what tells the two apart."""
        self._serving = serving
        self._name = name
        self._fields = fields
        self._field = field

    def on_post(self, req: Request, resp: Response) -> None:
        """Give a key for a secret, or tell why not."""
        key_id, secret = read(req, self._fields).values()
        # The id of the key is all that is known of who asks, right or wrong.
        who = Principal("PATIENT", f"urn:uuid:{key_id}")
        status, key = self._serving.keys.get(
            key_id,
            self._field,
            secret,
            req.caller.remote,
            self._serving.notice(req, self._name, key_id, who),
        )
        self._serving.attempts.labels(status).inc()
        _tell(resp, {"status": status, "key": key} if key else {"status": status})


class _Devices(_Resource):
    """``/devices``."""

    def on_get(self, req: Request, resp: Response) -> None:
        """List the caller's keys."""
        devices = [
            {
                "keyId": one.id,
                "clientName": one.client,
                "deviceName": one.device,
                "created": instant(one.created),
                "lastUsed": instant(one.used),
                "locked": one.locked,
            }
            for one in self._keys.devices(req.caller.principal)
        ]
        _tell(resp, {"devices": devices})

    on_head = on_get


class _Device(_Resource):
    """``/devices/{keyId}``."""

    def on_delete(self, req: Request, resp: Response, key_id: str) -> None:
        """Remove a key of the caller's; what others have is unknown."""
        status = UNKNOWN
        if is_key_id(key_id):
            notice = self._serving.notice(req, "deleteDevice", key_id)
            status = self._keys.delete(req.caller.principal, key_id, notice)
        _tell(resp, {"status": status})


def _tell(resp: Response, told: object, status: int = 200) -> None:
    resp.tell(told, status)
    resp.add({"cache-control": "no-store"})
