"""Blobs: what is too large for the database, in a folder or in a bucket of S3.

:mod:`~fyr.core.blobs.port` is where bytes are kept, in streams;
:class:`~fyr.core.blobs.Blobs` what they are, whose and for how long.
"""

from fyr.core.blobs.blobs import Blob, Blobs
from fyr.core.blobs.port import (
    BlobDamaged,
    BlobMissing,
    BlobStore,
    Chunks,
    Listed,
)
from fyr.core.blobs.spool import Spool, Spooled

__all__ = [
    "Blob",
    "BlobDamaged",
    "BlobMissing",
    "BlobStore",
    "Blobs",
    "Chunks",
    "Listed",
    "Spool",
    "Spooled",
]
