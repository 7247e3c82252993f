"""The clients of the Key Value Store, and what they send."""

from fyr.core import Principal
from fyr.core.testing.client import Answer, Client

ROOT = "/kvstore/api/ehealth"
AREA = f"{ROOT}/properties/app"
MINE = f"{AREA}/user/me"
SYSTEM = Principal("SYSTEM", "backend", realm="ehealth", client_id="backend-client")
USER = Principal("PATIENT", "ada", realm="ehealth", client_id="app")
CLIENTS = [
    {
        "realm": "ehealth",
        "client_id": "app",
        "system_users": ["backend"],
        "user_clients": ["app-backend"],
    },
    {"realm": "ehealth", "client_id": "other", "system_users": ["elsewhere"]},
]


def put(
    client: Client,
    url: str,
    content: bytes | str = b"dark",
    kind: str = "text/plain",
    **headers: str,
) -> Answer:
    return client.with_headers(**headers).request(
        "PUT", url, body=content, headers={"Content-Type": kind}
    )


def add(client: Client, key: str, content: bytes | str = b"1") -> Answer:
    headers = {"Key": key, "Content-Type": "application/json"}
    return client.request("POST", AREA, body=content, headers=headers)
