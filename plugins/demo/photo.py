"""The photo that the citizen takes."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import datetime
from typing import Any

from fyr.plugins.demo.resources import concept

#: Width and height of the photo, and most pixels that are looked at.
SIZE, PIXELS = (120, 80), 10_000


def photo(when: datetime) -> dict[str, Any]:
    """Write what is special about a photo."""
    return {
        "status": "completed",
        "type": concept("image", "http://terminology.hl7.org/CodeSystem/media-type"),
        "createdDateTime": when.isoformat(),
        "content": {
            "contentType": "image/png",
            "data": base64.b64encode(_picture(*SIZE)).decode(),
        },
    }


def _picture(width: int, height: int) -> bytes:
    """Draw something greenish: https://www.w3.org/TR/png-3/#5PNG-file-signature."""
    row = b"\0" + bytes((120, 140, 60)) * width
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = {b"IHDR": head, b"IDAT": zlib.compress(row * height), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    )
