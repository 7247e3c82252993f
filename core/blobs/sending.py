"""One object of S3 sent in one piece, from a file, under a hash that is known already.

The hash is part of the signature, so the server stores the object only when its bytes
are those that were hashed. MinIO's client would read the whole of it into memory and hash it
again: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

from os import fstat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from minio import time
from minio.credentials.credentials import Credentials
from minio.error import InvalidResponseError, S3Error
from minio.signer import sign_v4_s3

from fyr.core.errors import Unavailable

if TYPE_CHECKING:
    from minio import Minio
    from urllib3 import BaseHTTPResponse, PoolManager

    from fyr.core.blobs.spool import Spooled

#: Bytes that are read of the file at a time.
BLOCK = 262_144


class Sending:
    """Sends objects to one bucket."""

    def __init__(
        self,
        client: Minio,
        pool: PoolManager,
        bucket: str,
        *,
        credentials: Credentials,
        region: str,
    ) -> None:
        """Take the client, which knows where the bucket is, and its connections."""
        self._client = client
        self._pool = pool
        self._bucket = bucket
        self._credentials = credentials
        self._region = region

    def put(self, name: str, spooled: Spooled) -> None:
        """Send an object; none is there when this raises.

        :raises Unavailable: the file is longer or shorter than it was.
        :raises MinioException: the server refuses it, as when the bytes of the file are
            not those that were hashed, or it is no S3 that answers.
        :raises urllib3.exceptions.HTTPError: nobody answers.
        """
        # Signed URLs are made by the client's own rules about hosts; no one is asked.
        made = urlsplit(self._client.get_presigned_url("PUT", self._bucket, name))
        url = made._replace(query="")
        now = time.utcnow()
        headers = sign_v4_s3(
            method="PUT",
            url=url,
            region=self._region,
            headers={
                "Host": url.netloc,
                "Content-Type": "application/octet-stream",
                "Content-Length": str(spooled.size),
                "x-amz-content-sha256": spooled.sha256,
                "x-amz-date": time.to_amz_date(now),
            },
            credentials=self._credentials,
            content_sha256=spooled.sha256,
            date=now,
        )
        with spooled.path.open("rb") as file:
            # More bytes than were told would be taken for the next request.
            if fstat(file.fileno()).st_size != spooled.size:
                raise Unavailable("the file of a blob has changed before it was sent")
            answer = self._pool.urlopen(
                "PUT", url.geturl(), body=file, headers=headers, redirect=False
            )
        _require_kept(answer)


def _require_kept(answer: BaseHTTPResponse) -> None:
    # S3 names what it has stored; a page of what stands between does not.
    if answer.status == 200 and answer.headers.get("ETag"):
        return
    kind = answer.headers.get("Content-Type", "")
    if kind.partition(";")[0] == "application/xml" and answer.data:
        raise S3Error.fromxml(answer)
    raise InvalidResponseError(
        answer.status, kind, answer.data.decode(errors="replace")
    )
