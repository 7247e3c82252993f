"""Large content, and how it is stored and read."""

from random import Random

from fyr.core.app import Application
from fyr.core.testing.client import Answer, Client

THRESHOLD = 4096
LARGE = Random(7).randbytes(300_001)
OTHER = Random(8).randbytes(100_000)
PDF = "application/pdf"


def stored(client: Client, content: bytes = LARGE, **headers: str) -> str:
    answer = client.post("Binary", content, Content_Type=PDF, **headers)
    assert answer.status == 201, answer.body
    return f"Binary/{answer.json['id']}"


def raw(client: Client, path: str, **headers: str) -> Answer:
    return client.get(path, Accept=PDF, **headers)


def rows(app: Application) -> list[str]:
    found = app.database.rows("SELECT state FROM blob ORDER BY created, id")
    return [row[0] for row in found]
