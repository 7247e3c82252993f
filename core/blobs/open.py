"""Opens the blob store that the settings name, and all that belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from typing import TYPE_CHECKING

import structlog

from fyr.core.blobs.blobs import Blobs
from fyr.core.blobs.breaker import Unreachable
from fyr.core.blobs.filesystem import FilesystemBlobs
from fyr.core.blobs.keys import OwnerKeys
from fyr.core.blobs.port import BlobStore
from fyr.core.blobs.spool import Spool
from fyr.core.errors import FyrError
from fyr.core.store.migrating import migrate

if TYPE_CHECKING:
    from fyr.config.blobs import BlobSettings
    from fyr.config.settings import Settings
    from fyr.core.blobs.s3 import S3Blobs
    from fyr.core.clock import Clock
    from fyr.core.store.port import Database
    from fyr.core.store.resources import ResourceStore

log = structlog.get_logger(__name__)

#: Namespace of the migrations.
BLOBS = "blobs"

#: How long S3 may be silent that is only asked whether it is there.
_ASKED_SECONDS = 5.0

_S3 = re.compile(r"s3(?P<plain>\+http)?://(?P<endpoint>[^/@]+)/(?P<bucket>[^/]+)/?")


def open_blobs(
    settings: Settings,
    database: Database,
    resources: ResourceStore,
    clock: Clock,
    store: BlobStore | None = None,
) -> Blobs:
    """Open blobs, with their tables up to date; the caller closes the store.

    :param store: where bytes are kept; ``None``: what the settings name.

    :raises fyr.core.errors.FyrError: the store cannot be opened, or keys not be read.
    :raises fyr.config.load.ConfigError: a master key is none.
    """
    folder = files("fyr.core.blobs.migrations")
    migrate(database, namespace=BLOBS, folder=folder, apply=settings.store.migrate)
    keys = OwnerKeys(database, settings, clock)
    return Blobs(
        database=database,
        resources=resources,
        store=store or open_store(settings),
        spool=spool_of(settings),
        keys=keys,
        settings=settings.blobs,
        clock=clock,
    )


def open_store(settings: Settings) -> BlobStore:
    """Open the store; the caller closes it.

    :raises fyr.core.errors.FyrError: its bucket is not there or cannot be opened.
    """
    blobs = settings.blobs
    match = _S3.fullmatch(blobs.url)
    if match is None:
        folder = blobs.url.removeprefix("file:")
        return FilesystemBlobs(settings.data_dir / folder)
    store = _s3(blobs, match, blobs.timeout_seconds)
    try:
        store.require()
    except Unreachable as error:
        # As when it goes away later: what needs no blob is served, and readiness tells.
        log.warning("the blob store is away", error=str(error))
    except BaseException:
        store.close()
        raise
    return store


def unreached(settings: Settings) -> Iterator[str]:
    """Tell why the bucket that the settings name cannot be used; nothing is changed there.

    It takes some seconds at most.
    """
    blobs = settings.blobs
    match = _S3.fullmatch(blobs.url)
    if match is None:
        return
    try:
        store = _s3(blobs, match, min(blobs.timeout_seconds, _ASKED_SECONDS))
        with closing(store):
            store.require()
    except FyrError as error:
        yield f"blobs.url: {str(error).removeprefix('blobs.url: ')}"


def spool_of(settings: Settings) -> Spool:
    """Give the folder in which blobs are gathered.

    On the filesystem it is inside of the store, so that a blob is moved in one step.
    """
    url = settings.blobs.url
    folder = url.removeprefix("file:") if url.startswith("file:") else "blobs"
    return Spool(settings.data_dir / folder / "incoming")


def _s3(blobs: BlobSettings, match: re.Match[str], seconds: float) -> S3Blobs:
    # Its client is not small, and most that start a server do not need it.
    from fyr.core.blobs.s3 import S3Blobs

    return S3Blobs(
        match["endpoint"],
        match["bucket"],
        access_key=blobs.access_key,
        secret_key=blobs.secret_key.get_secret_value() if blobs.secret_key else "",
        region=blobs.region,
        secure=match["plain"] is None,
        timeout_seconds=seconds,
    )
