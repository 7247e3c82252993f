"""Blobs in a bucket of MinIO or of any other S3, by the calls that all of them have.

A blob is one object named by its key and sent under its SHA-256, which the server checks it
against. What is larger than ``WHOLE`` goes up in parts, one at a time; MinIO's client sends a checksum with each.
What the client raises stays here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import PARTIAL_CONTENT
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from fyr.core.blobs.breaker import Breaker, Unreachable
from fyr.core.blobs.getting import pieces
from fyr.core.blobs.port import (
    KEY,
    BlobMissing,
    Chunks,
    Listed,
    checked,
    nothing,
)
from fyr.core.blobs.sending import BLOCK, Sending
from fyr.core.blobs.spool import Spooled
from fyr.core.errors import FyrError, Unavailable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

#: Bytes that are sent in one piece. S3 takes five times as many, but what breaks off begins
#: anew: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
WHOLE = 1024 * 1024 * 1024
#: Bytes of a part, the memory that its upload needs; 10,000 of them are 160 GB.
PART = 16 * 1024 * 1024
_ABSENT = ("NoSuchKey", "NoSuchObject", "ResourceNotFound")
_REFUSED = (
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AllAccessDisabled",
)
# What is said where the region is another one; an answer to HEAD has no body that tells.
_ELSEWHERE = (
    "AuthorizationHeaderMalformed",
    "BadRequest",
    "PermanentRedirect",
    "Redirect",
)


class S3Blobs:
    """The blobs of one bucket, which any number of processes share."""

    kind = "s3"

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        access_key: str,
        secret_key: str,
        region: str = "",
        secure: bool = True,
        timeout_seconds: float = 30.0,
        whole: int = WHOLE,
    ) -> None:
        """Take where the bucket is; nothing is asked yet.

        :param endpoint: ``HOST`` or ``HOST:PORT``.
        :param whole: bytes of the largest blob that is sent in one piece.
        :raises FyrError: that is no endpoint.
        """
        self._pool = _pool(timeout_seconds)
        self._bucket = bucket
        self._breaker = Breaker()
        # Without one the client would ask for it before each first call.
        region = region or "us-east-1"
        try:
            self._client = Minio(
                endpoint,
                access_key=access_key or None,
                secret_key=secret_key or None,
                region=region,
                secure=secure,
                http_client=self._pool,
            )
        except ValueError as error:
            raise FyrError(f"blobs.url: {error}") from error
        #: ``None``: everybody may write here, and nothing is signed
        self._sending: Sending | None = None
        if access_key and secret_key:
            self._sending = Sending(
                self._client,
                self._pool,
                bucket,
                credentials=Credentials(access_key, secret_key),
                region=region,
            )
        self._whole = whole

    def require(self) -> None:
        """Refuse to go on without the bucket.

        :raises FyrError: it is not there, or these credentials do not open it.
        :raises Unavailable: nobody answers.
        """
        try:
            with self._told():
                found = self._client.bucket_exists(self._bucket)
        except ValueError as error:
            raise FyrError(f"blobs.url: {error}") from error
        if not found:
            raise FyrError(f"blobs.url: there is no bucket {self._bucket}: make it")

    def keep(self, spooled: Spooled) -> None:
        """Send a blob, unless it is there."""
        name = _name(spooled.key)
        with self._told():
            try:
                found = self._client.stat_object(self._bucket, name)
                if found.size == spooled.size:
                    return
            except S3Error as error:
                if error.code not in _ABSENT:
                    raise
            if self._sending is not None and spooled.size <= self._whole:
                self._sending.put(name, spooled)
                return
            self._client.fput_object(
                self._bucket,
                name,
                str(spooled.path),
                part_size=PART,
                num_parallel_uploads=1,
            )

    def read(self, key: str, start: int = 0, length: int | None = None) -> Chunks:
        """Read a blob or a part of it; the connection is given back at the end."""
        if length == 0:
            self.size(key)
            return nothing()
        chunks = self._chunks(key, start, length, self._get(key, start, length))
        if start or length is not None:
            return chunks
        return checked(key, chunks)

    def size(self, key: str) -> int:
        """Tell the size of a blob."""
        with self._told(key):
            return int(self._client.stat_object(self._bucket, _name(key)).size or 0)

    def remove(self, key: str) -> None:
        """Remove a blob; S3 does not tell whether it was there."""
        with self._told():
            self._client.remove_object(self._bucket, _name(key))

    def walk(self, after: str = "") -> Iterator[Listed]:
        """Go through the bucket, a thousand names a call."""
        with _in_words():
            for found in self._client.list_objects(
                self._bucket, start_after=after or None
            ):
                name = found.object_name or ""
                if KEY.fullmatch(name) and found.last_modified is not None:
                    millis = int(found.last_modified.timestamp() * 1000)
                    yield Listed(name, found.size or 0, millis)

    def link(self, key: str, seconds: int, content_type: str) -> str | None:
        """Sign a URL; a browser that opens it saves what it gets."""
        return self._client.presigned_get_object(
            self._bucket,
            _name(key),
            expires=timedelta(seconds=seconds),
            response_headers={
                "response-content-type": content_type,
                "response-content-disposition": "attachment",
            },
        )

    def health(self) -> str:
        """Ask for the bucket."""
        try:
            self.require()
        except FyrError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _get(self, key: str, start: int, length: int | None) -> BaseHTTPResponse:
        with self._told(key):
            found = self._client.get_object(
                self._bucket, _name(key), offset=start, length=length or 0
            )
        if (start or length) and found.status != PARTIAL_CONTENT:
            found.close()
            raise Unavailable("the blob store gives no parts of a blob")
        return found

    def _chunks(
        self, key: str, start: int, length: int | None, response: BaseHTTPResponse
    ) -> Generator[bytes, None, None]:
        def rest(count: int) -> BaseHTTPResponse:
            left = None if length is None else length - count
            if left == 0:  # which would ask for all there is
                raise Unreachable("the blob store cannot be reached")
            return self._get(key, start + count, left)

        with _in_words(key):
            yield from pieces(response, rest)

    @contextmanager
    def _told(self, key: str = "") -> Iterator[None]:
        """Ask the store, unless it is known to be away, and tell errors in our words."""
        with self._breaker.attempt(), _in_words(key):
            yield


@contextmanager
def _in_words(key: str = "") -> Iterator[None]:
    """Tell what the client raises in our words.

    :raises BlobMissing: the object is not there.
    :raises FyrError: the credentials are refused.
    :raises Unreachable: nobody answers.
    :raises Unavailable: anything else that is not our mistake.
    """
    try:
        yield
    except S3Error as error:
        if error.code in _ABSENT:
            raise BlobMissing(f"the blob {key[:12]} is not there") from error
        if error.code in _REFUSED:
            text = f"the blob store refuses the credentials of [blobs]: {error.code}"
            raise Unavailable(text) from error
        text = f"the blob store answers {error.code}"
        if error.code in _ELSEWHERE:
            text += "; is blobs.region that of the bucket?"
        raise Unavailable(text) from error
    # What stands between may call a page XML, which the client then cannot read.
    except (ServerError, InvalidResponseError, ParseError, UnicodeError) as error:
        raise Unavailable("the blob store is not able to answer") from error
    except MinioException as error:
        raise Unavailable("the blob store answers with an error") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable("the blob store cannot be reached") from error


def _name(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError(f"not the key of a blob: {key[:80]!r}")
    return key


def _pool(timeout_seconds: float) -> urllib3.PoolManager:
    # A server that is down is told at once; a connection that was kept too long is
    # tried again.
    retries = urllib3.Retry(
        connect=0, read=1, status=0, respect_retry_after_header=False
    )
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=min(timeout_seconds, 5), read=timeout_seconds),
        retries=retries,
        maxsize=32,
        cert_reqs="CERT_REQUIRED",
        blocksize=BLOCK,
    )
