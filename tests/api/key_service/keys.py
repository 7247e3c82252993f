"""Who has keys, and how they are sent."""

import json
from typing import Any

from fyr.core import Principal
from fyr.core.testing.client import Answer, Client

API = "/keyservice/api"
ADA = Principal("PATIENT", "ada", realm="citizens", issuer="https://i.example.org")
BOB = Principal("PATIENT", "bob", realm="citizens", issuer="https://i.example.org")
NURSE = Principal("PRACTITIONER", "nurse", realm="staff")
QUICK = {"hash_memory_kib": 32, "hash_passes": 1, "key_attempts": 100}


def post(
    client: Client, name: str, body: Any, kind: str = "application/json"
) -> Answer:
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = {"Content-Type": kind}
    return client.request("POST", f"{API}/{name}", body=body, headers=headers)


def create(client: Client, secret: str = "1234", device: str = "telephone") -> Any:
    body = {"clientName": "app", "deviceName": device, "secret": secret}
    answer = post(client, "createKey", body)
    assert answer.status == 201, answer.body
    return answer.json


def get(client: Client, key_id: str, secret: str = "1234") -> Any:
    return post(client, "key", {"keyId": key_id, "secret": secret}).json


def get_long(client: Client, key_id: str, secret: str) -> Any:
    return post(client, "longKey", {"keyId": key_id, "longSecret": secret}).json
