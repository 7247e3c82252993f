"""Pictures that tell something beside themselves."""

import base64
from io import BytesIO
from typing import Any

from PIL import Image

from fyr.core.testing.client import Answer, Client

JPEG = "image/jpeg"
JSON_PATCH = "application/json-patch+json"
HOME = b"Skolegade 7"


def photo(side: int = 40) -> bytes:
    """Make a photo that says where it was taken."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = HOME.decode(), 6
    out = BytesIO()
    picture = Image.effect_noise((side, side), 60).convert("RGB")
    picture.save(out, "JPEG", exif=exif, comment=HOME)
    assert out.getvalue().count(HOME) == 2
    return out.getvalue()


SMALL, LARGE = photo(), photo(300)


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def media(data: bytes, **more: Any) -> dict[str, Any]:
    content = {"contentType": JPEG, "data": packed(data), **more}
    return {"resourceType": "Media", "status": "completed", "content": content}


def content(client: Client, path: str) -> bytes:
    return base64.b64decode(client.get(path).json["content"]["data"])


def created(client: Client, sent: bytes) -> Answer:
    return client.create(media(sent))


#: How content begins that may tell place and time, and is not written anew.
TELLING = {
    "image/heic": b"\0\0\0\x18ftypheic",
    "video/mp4": b"\0\0\0\x18ftypisom",
    "video/quicktime": b"\0\0\0\x14ftypqt  ",
    "image/tiff": b"II*\0\x08\0\0\0",
    "video/webm": b"\x1aE\xdf\xa3\x01\0\0\0",
    "audio/mpeg": b"ID3\x04\0\0\0\0\0",
    "image/x-unknown": b"what is it",
}
