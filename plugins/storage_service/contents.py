"""Contents: a URL that stays, the bytes behind it, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fyr.core import (
    PICTURE_TYPES,
    Blob,
    Conflict,
    NotFound,
    PreconditionFailed,
    Refused,
    Session,
    TooLarge,
    refuse_telling,
    small_picture,
    stripped_picture,
    to_millis,
)
from fyr.plugins.storage_service.kinds import HEAD, require_kind

if TYPE_CHECKING:
    from fyr.core import Application, JobContext
    from fyr.plugins.storage_service.settings import StorageServiceSettings

THUMBNAIL = "storage-service-thumbnail"

_COLUMNS = (
    "id, version, blob, content_type, size, sha256, episode, patient,"
    " thumbnail_state, thumbnail, created, updated, creator, organization"
)
_GET = f"SELECT {_COLUMNS} FROM storage_content WHERE id = ?"
_ADD = f"INSERT INTO storage_content ({_COLUMNS}) VALUES ({', '.join('?' * 14)})"
_REPLACE = """
    UPDATE storage_content
    SET version = ?, blob = ?, content_type = ?, size = ?, sha256 = ?,
        thumbnail_state = ?, thumbnail = '', updated = ?
    WHERE id = ? AND version = ?
"""
_DELETE = "DELETE FROM storage_content WHERE id = ?"
_THUMBNAIL = """
    UPDATE storage_content SET thumbnail_state = ?, thumbnail = ?
    WHERE id = ? AND version = ? AND thumbnail_state = 'requested'
"""


@dataclass(frozen=True, slots=True)
class References:
    """Whose a content is; both empty for general material."""

    episode: str = ""
    patient: str = ""

    @property
    def general(self) -> bool:
        """Whether it is nobody's, and for everybody."""
        return not self.patient


@dataclass(frozen=True, slots=True)
class Maker:
    """Who has made a content: the user, and the organization; empty: nobody knows."""

    user: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """One content as it is kept; times in milliseconds since 1970, UTC."""

    id: str
    #: 1 for the first bytes, one more with each replacement
    version: int
    blob: str
    content_type: str
    size: int
    sha256: str
    references: References
    #: ``requested``, ``present`` or ``failed``; empty for what is no picture
    thumbnail_state: str
    thumbnail: str
    created: int
    updated: int
    maker: Maker


class Contents:
    """The contents of a deployment."""

    def __init__(
        self, application: Application, settings: StorageServiceSettings
    ) -> None:
        """Take where they are kept."""
        self._application = application
        self._settings = settings
        self._database = application.database
        self._blobs = application.blobs

    def get(self, content_id: str) -> Content:
        """Tell about a content.

        :raises NotFound: there is none.
        """
        rows = self._database.rows(_GET, (content_id,))
        if not rows:
            raise NotFound(f"no content has the id {content_id[:80]}")
        return _content(rows[0])

    def blob(self, blob_id: str) -> Blob:
        """Tell about the bytes of a content or a thumbnail.

        :raises NotFound: they have just been replaced or removed.
        """
        blob = self._blobs.find(blob_id)
        if blob is None:
            raise NotFound("the content has just been replaced: ask again")
        return blob

    def add(
        self, chunks: Iterable[bytes], content_type: str, of: References, maker: Maker
    ) -> Content:
        """Keep new content.

        :raises fyr.core.errors.FyrError: it is not what it says, or too much.
        """
        blob = self._put(chunks, content_type, of)
        now, state = self._now(), self._thumbnail_state(content_type)
        given = (str(uuid4()), 1, blob.id, content_type, blob.size, blob.sha256)
        content = Content(*given, of, state, "", now, now, maker)

        def work(session: Session) -> None:
            row = (*given, of.episode, of.patient, state, "", now, now)
            session.run(_ADD, (*row, maker.user, maker.organization))
            self._settle(session, content)

        self._database.write(work)
        return content

    def replace(
        self,
        content_id: str,
        chunks: Iterable[bytes],
        content_type: str,
        of: References,
        versions: Iterable[str] | None,
    ) -> Content:
        """Put other bytes behind a URL.

        :param versions: of ``If-Match``: one of them must be the present one.
        :raises Conflict: the references are not those of what is there.
        :raises PreconditionFailed: it has been replaced since.
        """
        self._require(self.get(content_id), of, versions)
        blob = self._put(chunks, content_type, of)

        def work(session: Session) -> Content:
            old = self._locked(session, content_id)
            self._require(old, of, versions)
            new = replace(
                old,
                version=old.version + 1,
                blob=blob.id,
                content_type=content_type,
                size=blob.size,
                sha256=blob.sha256,
                thumbnail_state=self._thumbnail_state(content_type),
                thumbnail="",
                updated=max(self._now(), old.updated),
            )
            given = (new.version, new.blob, content_type, new.size, new.sha256)
            place = (new.updated, content_id, old.version)
            session.run(_REPLACE, (*given, new.thumbnail_state, *place))
            self._let_go(session, old)
            self._settle(session, new)
            return new

        return self._database.write(work)

    def delete(self, content_id: str) -> None:
        """Remove a content; its bytes go a while after the commit.

        :raises NotFound: there is none.
        """

        def work(session: Session) -> None:
            self._let_go(session, self._locked(session, content_id))
            session.run(_DELETE, (content_id,))

        self._database.write(work)

    def make_thumbnail(self, context: JobContext) -> str:
        """Make the thumbnail of a content, unless it has been replaced meanwhile."""
        content_id, version = context.arguments["id"], context.arguments["version"]
        rows = self._database.rows(_GET, (content_id,))
        content = _content(rows[0]) if rows else None
        if content is None or content.version != version:
            return "replaced"
        state, thumbnail = "present", ""
        try:
            data = b"".join(self._blobs.read(self.blob(content.blob)))
            made = small_picture(
                data,
                content.content_type,
                self._settings.thumbnail_pixels,
                self._settings.picture_pixels,
            )
        except Refused:
            state = "failed"
        else:
            kept = self._keep([made], "image/png", content.references)
            thumbnail = kept.id

        def work(session: Session) -> None:
            session.run(_THUMBNAIL, (state, thumbnail, content_id, version))
            now = session.rows(_GET, (content_id,))
            if thumbnail and now and _content(now[0]).thumbnail == thumbnail:
                self._blobs.refer(session, thumbnail, f"storage/{content_id}")
            context.finish(session, state)

        self._database.write(work)
        return state

    def _put(self, chunks: Iterable[bytes], content_type: str, of: References) -> Blob:
        head, rest = _head(chunks)
        require_kind(content_type, head)
        if content_type in PICTURE_TYPES:
            most = self._settings.picture_bytes
            data = _whole(chain([head], rest), most)
            pixels = self._settings.picture_pixels
            return self._keep(
                [stripped_picture(data, content_type, pixels)], content_type, of
            )
        if self._application.settings.blobs.unstripped == "refuse":
            refuse_telling(content_type, head)
        return self._keep(chain([head], rest), content_type, of)

    def _keep(self, chunks: Iterable[bytes], content_type: str, of: References) -> Blob:
        return self._blobs.put(
            chunks, content_type=content_type, owner=of.patient, plain=of.general
        )

    def _settle(self, session: Session, content: Content) -> None:
        """Keep the bytes of a content, and have its thumbnail made after the commit."""
        self._blobs.refer(session, content.blob, f"storage/{content.id}")
        if content.thumbnail_state:
            arguments: dict[str, Any] = {"id": content.id, "version": content.version}
            self._application.jobs.submit(session, THUMBNAIL, arguments)

    def _let_go(self, session: Session, content: Content) -> None:
        for blob_id in filter(None, (content.blob, content.thumbnail)):
            self._blobs.release(session, blob_id)

    def _locked(self, session: Session, content_id: str) -> Content:
        lock = " FOR UPDATE" if session.dialect == "postgresql" else ""
        rows = session.rows(_GET + lock, (content_id,))
        if not rows:
            raise NotFound(f"no content has the id {content_id[:80]}")
        return _content(rows[0])

    def _require(
        self, content: Content, of: References, versions: Iterable[str] | None
    ) -> None:
        if content.references != of:
            raise Conflict(
                "episodeOfCareReference and patientReference are not those of the"
                " content that is there"
            )
        if versions is not None and not {"*", str(content.version)} & set(versions):
            raise PreconditionFailed(f"the content is at version {content.version}")

    def _thumbnail_state(self, content_type: str) -> str:
        made = content_type in PICTURE_TYPES and self._settings.thumbnail_pixels
        return "requested" if made else ""

    def _now(self) -> int:
        return to_millis(self._application.clock())


def _content(row: tuple[Any, ...]) -> Content:
    (content_id, version, blob, kind, size, digest), rest = row[:6], row[8:]
    of = References(row[6], row[7])
    state, thumbnail, created, updated, user, organization = rest
    maker = Maker(user, organization)
    given = (content_id, version, blob, kind, size, digest)
    return Content(*given, of, state, thumbnail, created, updated, maker)


def _head(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Take the first bytes of a stream; the rest of it follows them."""
    rest, head = iter(chunks), b""
    for chunk in rest:
        head += chunk
        if len(head) >= HEAD:
            break
    return head, rest


def _whole(chunks: Iterable[bytes], most: int) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > most:
            raise TooLarge(f"the picture is larger than {most} bytes")
    return bytes(data)
