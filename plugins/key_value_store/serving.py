"""The Key Value Store API over HTTP; docs/key-value-store.md has the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from fyr.core import Allow, Refused, Request, Response, Route, TooLarge, instant
from fyr.plugins.key_value_store.describing import AREA, BY_ID, USER_AREA, VALUE
from fyr.plugins.key_value_store.names import (
    CODES,
    INT32,
    Area,
    is_client,
    is_user,
    require_key,
)
from fyr.plugins.key_value_store.paging import page_of
from fyr.plugins.key_value_store.personal_data import (
    in_key,
    in_value,
    is_written_as_cpr,
)
from fyr.plugins.key_value_store.values import Terms, Value, Values

if TYPE_CHECKING:
    from prometheus_client import Counter

    from fyr.plugins.key_value_store.access import Access
    from fyr.plugins.key_value_store.settings import KeyValueStoreSettings

BASE = "/kvstore/api"
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]+"
_MEDIA_TYPE = re.compile(
    rf'{_TOKEN}/{_TOKEN}( ?; ?{_TOKEN}=({_TOKEN}|"[ !#-\[\]-~]*"))*', re.ASCII
)
_KNOWN = Allow()
_SYSTEM = Allow(frozenset({"SYSTEM"}))


class Serving:
    """What the resources share."""

    def __init__(
        self,
        values: Values,
        access: Access,
        settings: KeyValueStoreSettings,
        refused: Counter,
    ) -> None:
        """Take the values, who may use them, and what counts refusals."""
        self.values = values
        self.access = access
        self._settings = settings
        self._refused = refused

    def routes(self) -> Iterator[Route]:
        """Tell where each resource is, and who may use its methods at all.

        Whose values they are stands in the path, so the resources ask for the rest.
        """
        area = f"{BASE}/{{realm}}/properties/{{application}}"
        user = f"{area}/user/{{user}}"
        writes = dict.fromkeys(("PUT", "DELETE"), _SYSTEM)
        yield Route(
            area,
            _ClientArea(self),
            "The values of a client: list, make, add.",
            access={"GET": _KNOWN, "PUT": _SYSTEM, "POST": _SYSTEM},
            operations=AREA,
        )
        yield Route(
            f"{area}/{{key}}",
            _ClientValue(self),
            "A value of a client.",
            access={"GET": _KNOWN, **writes},
            operations=VALUE,
        )
        yield Route(
            user,
            _UserArea(self),
            "The values of a user of a client.",
            access={"GET": _KNOWN},
            operations=USER_AREA,
        )
        yield Route(
            f"{user}/{{key}}",
            _UserValue(self),
            "A value of a user of a client.",
            access=dict.fromkeys(("GET", "PUT", "DELETE"), _KNOWN),
            operations=VALUE,
        )
        yield Route(
            f"{BASE}/{{realm}}/property/{{id}}",
            _ById(self),
            "A value by its number.",
            access={"GET": _KNOWN},
            operations=BY_ID,
        )

    def list(self, req: Request, resp: Response, area: Area) -> None:
        """Answer a page of entries, and where the next one is."""
        page = page_of(req.caller.params)
        self.values.require_area(area)
        found = self.values.listed(
            area, page.prefix, page.after, page.offset, page.limit + 1
        )
        if len(found) > page.limit:
            found = found[: page.limit]
            asked = {
                "prefix": page.prefix,
                "limit": page.limit,
                "after": found[-1].key,
            }
            query = urlencode({name: one for name, one in asked.items() if one})
            resp.add({"link": f'<{_url(req, area)}?{query}>; rel="next"'})
        resp.tell([_entry(one) for one in found])

    def show(self, req: Request, resp: Response, value: Value) -> None:
        """Answer the bytes of a value, unless the client has them."""
        etag = f'"{value.version}"'
        resp.add({"etag": etag})
        if {"*", str(value.version)} & set(req.etags("If-None-Match") or ()):
            resp.status = 304
            return
        if not req.client_accepts(value.media_type.partition(";")[0].strip()):
            raise CODES["KEY_VALUE_STORE_NOT_ACCEPTED"].error(value.media_type)
        resp.data = value.content or b""
        resp.add(
            {
                "content-type": value.media_type,
                # Whoever stored it, a browser keeps it as a file.
                "content-disposition": "attachment",
            }
        )

    def store(self, req: Request, resp: Response, area: Area, key: str) -> None:
        """Keep what a request brings."""
        media_type, content = self._taken(req, require_key(key), area.owner)
        terms = Terms(req.etags("If-Match"), req.etags("If-None-Match"))
        value, new = self.values.put(area, key, media_type, content, terms)
        self._tell(req, resp, value, new=new)

    def add(self, req: Request, resp: Response, area: Area) -> None:
        """Keep what a request brings under a key that has no value yet."""
        key = require_key(req.get_header("Key") or "")
        media_type, content = self._taken(req, key)
        terms = Terms(careful=False)
        value, _ = self.values.put(area, key, media_type, content, terms)
        self._tell(req, resp, value, new=True)

    def remove(self, req: Request, resp: Response, area: Area, key: str) -> None:
        """Remove a value."""
        self.values.delete(area, require_key(key), Terms(req.etags("If-Match")))
        resp.status = 204

    def _tell(self, req: Request, resp: Response, value: Value, *, new: bool) -> None:
        resp.tell(_entry(value), 201 if new else 200)
        resp.add({"etag": f'"{value.version}"'})
        if new:
            root = f"{_root(req)}{BASE}/{quote(value.area.realm)}"
            resp.add({"location": f"{root}/property/{value.id}"})

    def _taken(self, req: Request, key: str, user: str = "") -> tuple[str, bytes]:
        """Read a value that may be kept.

        :raises fyr.core.FyrError: it may not.
        """
        media_type = (req.content_type or "").strip()
        if len(media_type) > 255 or not _MEDIA_TYPE.fullmatch(media_type):
            raise CODES["KEY_VALUE_STORE_MEDIA_TYPE_NOT_VALID"].error()
        try:
            content = req.content(self._settings.max_bytes)
        except TooLarge:
            self._refused.labels("size").inc()
            most = self._settings.max_bytes
            raise CODES["KEY_VALUE_STORE_VALUE_TOO_LARGE"].error(most) from None
        if holding := list(self._personal(user, key, content)):
            self._refused.labels("personal data").inc()
            code = CODES["KEY_VALUE_STORE_PERSONAL_DATA"]
            raise Refused([code.issue(what) for what in holding])
        return media_type, content

    def _personal(self, user: str, key: str, content: bytes) -> Iterator[str]:
        """Tell what of a value holds the number of a person."""
        strictness = self._settings.personal_data
        if is_written_as_cpr(user, strictness):
            yield "user id"
        if in_key(key, strictness):
            yield "key"
        if in_value(content, strictness):
            yield "value"


class _Resource:
    def __init__(self, serving: Serving) -> None:
        self._serving = serving


class _OfClient(_Resource):
    def _area(
        self, req: Request, realm: str, application: str, *, write: bool = False
    ) -> Area:
        return self._serving.access.client_area(
            req.caller.principal, realm, application, write=write
        )


class _OfUser(_Resource):
    def _area(self, req: Request, realm: str, application: str, user: str) -> Area:
        area = self._serving.access.user_area(
            req.caller.principal, realm, application, user
        )
        # Only who may use the areas of all users comes here with another name.
        if not is_user(area.owner):
            raise CODES["KEY_VALUE_STORE_USER_NOT_VALID"].error()
        return area


class _ClientArea(_OfClient):
    """``/{realm}/properties/{application}``."""

    def on_get(
        self, req: Request, resp: Response, realm: str, application: str
    ) -> None:
        """List the client's values."""
        self._serving.list(req, resp, self._area(req, realm, application))

    on_head = on_get

    def on_put(
        self, req: Request, resp: Response, realm: str, application: str
    ) -> None:
        """Make the client's area."""
        area = self._area(req, realm, application, write=True)
        resp.status = 201 if self._serving.values.make_area(area) else 204

    def on_post(
        self, req: Request, resp: Response, realm: str, application: str
    ) -> None:
        """Add a value, its key in the header ``Key``."""
        area = self._area(req, realm, application, write=True)
        self._serving.add(req, resp, area)


class _ClientValue(_OfClient):
    """``/{realm}/properties/{application}/{key}``."""

    def on_get(
        self, req: Request, resp: Response, realm: str, application: str, key: str
    ) -> None:
        """Answer a value."""
        area = self._area(req, realm, application)
        value = self._serving.values.get(area, require_key(key))
        self._serving.show(req, resp, value)

    on_head = on_get

    def on_put(
        self, req: Request, resp: Response, realm: str, application: str, key: str
    ) -> None:
        """Keep a value."""
        area = self._area(req, realm, application, write=True)
        self._serving.store(req, resp, area, key)

    def on_delete(
        self, req: Request, resp: Response, realm: str, application: str, key: str
    ) -> None:
        """Remove a value."""
        area = self._area(req, realm, application, write=True)
        self._serving.remove(req, resp, area, key)


class _UserArea(_OfUser):
    """``/{realm}/properties/{application}/user/{user}``."""

    def on_get(
        self, req: Request, resp: Response, realm: str, application: str, user: str
    ) -> None:
        """List a user's values."""
        self._serving.list(req, resp, self._area(req, realm, application, user))

    on_head = on_get


class _UserValue(_OfUser):
    """``/{realm}/properties/{application}/user/{user}/{key}``."""

    def on_get(self, req: Request, resp: Response, key: str, **area: str) -> None:
        """Answer a value."""
        found = self._area(req, **area)
        value = self._serving.values.get(found, require_key(key))
        self._serving.show(req, resp, value)

    on_head = on_get

    def on_put(self, req: Request, resp: Response, key: str, **area: str) -> None:
        """Keep a value."""
        self._serving.store(req, resp, self._area(req, **area), key)

    def on_delete(self, req: Request, resp: Response, key: str, **area: str) -> None:
        """Remove a value."""
        self._serving.remove(req, resp, self._area(req, **area), key)


class _ById(_Resource):
    """``/{realm}/property/{id}``."""

    def on_get(self, req: Request, resp: Response, realm: str, **number: str) -> None:
        """Answer a value; what may not be read is not there."""
        values, access = self._serving.values, self._serving.access
        principal = req.caller.principal
        if not principal.unrestricted and principal.realm != realm:
            raise CODES["KEY_VALUE_STORE_REALM_NOT_ALLOWED"].error()
        found = None
        digits = number["id"]
        if is_client(realm) and re.fullmatch(r"[0-9]{1,10}", digits, re.ASCII):
            told = int(digits)
            found = values.by_id(realm, told) if told <= INT32 else None
        if found is None or not access.may_read(principal, found.area):
            raise CODES["KEY_VALUE_STORE_VALUE_NOT_FOUND"].error()
        self._serving.show(req, resp, values.get(found.area, found.key))

    on_head = on_get


def _entry(value: Value) -> dict[str, object]:
    return {
        "id": value.id,
        "key": value.key,
        "mediaType": value.media_type,
        "version": value.version,
        "size": value.size,
        "lastModified": instant(value.updated),
    }


def _url(req: Request, area: Area) -> str:
    path = f"{BASE}/{quote(area.realm)}/properties/{quote(area.application)}"
    user = f"/user/{area.owner}" if area.owner else ""
    return f"{_root(req)}{path}{user}"


def _root(req: Request) -> str:
    return req.caller.base_url.rstrip("/")
