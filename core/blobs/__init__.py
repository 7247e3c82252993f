"""Blobs: what is too large for the database, in a folder or in a bucket of S3.

:mod:`~fyr.core.blobs.port` is where bytes are kept, in streams.
"""

from fyr.core.blobs.port import (
    BlobDamaged,
    BlobMissing,
    BlobStore,
    Chunks,
    Listed,
)
from fyr.core.blobs.spool import Spool, Spooled

__all__ = [
    "BlobDamaged",
    "BlobMissing",
    "BlobStore",
    "Chunks",
    "Listed",
    "Spool",
    "Spooled",
]
