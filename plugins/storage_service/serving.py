"""The Storage Service API over HTTP; docs/storage-service.md has the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from fyr.core import (
    NotAcceptable,
    NotFound,
    Request,
    Response,
    Route,
    UnsupportedMediaType,
    give_content,
    instant,
)
from fyr.plugins.storage_service.access import (
    EPISODE,
    PATIENT,
    Access,
    maker_of,
    references,
    require_system,
)
from fyr.plugins.storage_service.contents import Content, Contents
from fyr.plugins.storage_service.describing import (
    METADATA,
    THUMBNAIL,
    keeping,
    of_one,
)
from fyr.plugins.storage_service.kinds import name_of, require_taken

if TYPE_CHECKING:
    from fyr.core import Blobs
    from fyr.plugins.storage_service.settings import StorageServiceSettings

BASE = "/storage/api"
_JSON = "application/json"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Serving:
    """What the resources share."""

    def __init__(
        self,
        contents: Contents,
        access: Access,
        blobs: Blobs,
        settings: StorageServiceSettings,
    ) -> None:
        """Take the contents, who decides, where their bytes are, and what is taken."""
        self.contents = contents
        self.access = access
        self.blobs = blobs
        self.settings = settings
        self.limit = min(settings.max_bytes, blobs.settings.max_bytes)

    def routes(self) -> Iterator[Route]:
        """Tell where each resource is."""
        one = f"{BASE}/content/{{content_id}}"
        every = f"{BASE}/content"
        kinds = self.settings.content_types
        yield Route(
            every,
            _All(self),
            "Keep content.",
            large=True,
            decides=True,
            operations=keeping(kinds),
        )
        yield Route(
            one,
            _One(self),
            "Read, replace, remove content.",
            large=True,
            decides=True,
            operations=of_one(kinds),
        )
        yield Route(
            f"{one}/metadata",
            _Metadata(self),
            "What is known of it.",
            decides=True,
            operations=METADATA,
        )
        yield Route(
            f"{one}/thumbnail",
            _Thumbnail(self),
            "A picture, made small.",
            decides=True,
            operations=THUMBNAIL,
        )

    def body(self, req: Request) -> tuple[str, Iterator[bytes]]:
        """Tell type and bytes of what a request brings."""
        if not req.content_type:
            raise UnsupportedMediaType("say by Content-Type what the content is")
        kind = require_taken(req.content_type, self.settings.content_types)
        return kind, req.chunks(self.limit)

    def find(self, content_id: str) -> Content:
        """Find a content.

        :raises NotFound: there is none.
        """
        if not _ID.fullmatch(content_id):
            raise NotFound(f"no content has the id {content_id[:80]}")
        return self.contents.get(content_id)

    def url(self, req: Request, content: Content) -> str:
        """Tell the URL of a content."""
        root = req.caller.base_url.rstrip("/")
        return f"{root}{BASE}/content/{content.id}"

    def tell(self, req: Request, resp: Response, content: Content) -> None:
        """Answer what is known of a content."""
        of = content.references
        told: dict[str, Any] = {
            "id": content.id,
            "url": self.url(req, content),
            "contentType": content.content_type,
            "size": content.size,
            "sha256": content.sha256,
            "version": content.version,
            "created": instant(content.created),
            "updated": instant(content.updated),
        }
        if not of.general:
            told |= {EPISODE: of.episode, PATIENT: of.patient}
        if content.thumbnail_state:
            told["thumbnail"] = content.thumbnail_state
        resp.data = orjson.dumps(told)
        resp.add({"content-type": _JSON, "etag": f'"{content.version}"'})


class _Resource:
    def __init__(self, serving: Serving) -> None:
        self._serving = serving


class _All(_Resource):
    """``/content``."""

    def on_post(self, req: Request, resp: Response) -> None:
        """Keep content, for a patient or for everybody."""
        of = references(req.caller.params)
        self._serving.access.require_create(req.caller, of)
        kind, chunks = self._serving.body(req)
        maker = maker_of(req.caller.principal)
        content = self._serving.contents.add(chunks, kind, of, maker)
        resp.status = 201
        self._serving.tell(req, resp, content)
        resp.add({"location": self._serving.url(req, content)})


class _One(_Resource):
    """``/content/{id}``."""

    def on_get(self, req: Request, resp: Response, content_id: str) -> None:
        """Answer the bytes, or some of them."""
        content = self._serving.find(content_id)
        self._serving.access.require_read(req.caller, content)
        _require_accepted(req, content.content_type)
        if content.version and str(content.version) in (
            req.etags("If-None-Match") or ()
        ):
            resp.status = 304
            resp.add({"etag": f'"{content.version}"'})
            return
        give_content(
            req,
            resp,
            self._serving.blobs,
            self._serving.contents.blob(content.blob),
            content_type=content.content_type,
            etag=f'"{content.version}"',
            updated=content.updated,
        )

    on_head = on_get

    def on_put(self, req: Request, resp: Response, content_id: str) -> None:
        """Put other bytes behind the URL."""
        of = references(req.caller.params)
        old = self._serving.find(content_id)
        self._serving.access.require_update(req.caller, old)
        kind, chunks = self._serving.body(req)
        content = self._serving.contents.replace(
            content_id, chunks, kind, of, req.etags("If-Match")
        )
        self._serving.tell(req, resp, content)

    def on_delete(self, req: Request, resp: Response, content_id: str) -> None:
        """Remove the content."""
        require_system(req.caller.principal)
        content = self._serving.find(content_id)
        self._serving.access.require_delete(req.caller, content)
        self._serving.contents.delete(content.id)
        resp.status = 204


class _Metadata(_Resource):
    """``/content/{id}/metadata``, for the services that point at contents."""

    def on_get(self, req: Request, resp: Response, content_id: str) -> None:
        """Answer what is known of the content."""
        require_system(req.caller.principal)
        content = self._serving.find(content_id)
        self._serving.access.require_metadata(req.caller, content)
        self._serving.tell(req, resp, content)


class _Thumbnail(_Resource):
    """``/content/{id}/thumbnail``."""

    def on_get(self, req: Request, resp: Response, content_id: str) -> None:
        """Answer the small picture, once it is made."""
        content = self._serving.find(content_id)
        self._serving.access.require_read(req.caller, content)
        if content.thumbnail_state != "present":
            state = content.thumbnail_state or "never made of this type"
            raise NotFound(f"there is no thumbnail: {state}")
        _require_accepted(req, "image/png")
        give_content(
            req,
            resp,
            self._serving.blobs,
            self._serving.contents.blob(content.thumbnail),
            content_type="image/png",
            etag=f'"{content.version}"',
            updated=content.updated,
        )

    on_head = on_get


def _require_accepted(req: Request, content_type: str) -> None:
    """Refuse a client that does not take what is kept.

    :raises NotAcceptable: none of its ranges covers the type.
    """
    if not req.client_accepts(name_of(content_type)):
        raise NotAcceptable(f"the content is {content_type}, which is not accepted")
