"""An app, its backend and two citizens, by signed tokens: settings, values, a key for a PIN."""

import json
from pathlib import Path

import httpx
import pytest

from fyr.core.clock import utc_now
from fyr.core.testing.applications import application, serving, settings_with
from fyr.core.testing.issuer import PATIENT, issuing

KIND = {"Content-Type": "application/json"}


@pytest.mark.parametrize("decide_by", ["table", "smart"])
def test_a_day_of_an_app(tmp_path: Path, decide_by: str) -> None:
    with issuing() as issuer:
        options = {
            "security": {"mode": "closed"},
            "plugins": {
                "enabled": [
                    *("search", "access_control", "rate_limit", "audit"),
                    *("key_value_store", "key_service", "versions"),
                ]
            },
            "plugin": {
                "access_control": {
                    "issuers": [issuer.settings(realm="ehealth")],
                    "tokens": PATIENT,
                    "decide_by": decide_by,
                },
                "key_value_store": {
                    "clients": [
                        {
                            "realm": "ehealth",
                            "client_id": "my-app",
                            "system_users": ["backend"],
                        }
                    ]
                },
                "key_service": {"hash_memory_kib": 1024},
            },
        }
        with (
            application(settings_with(options, tmp_path), utc_now) as built,
            serving(built) as server,
        ):

            def as_(**claims: str) -> httpx.Client:
                headers = {"Authorization": f"Bearer {issuer.token(**claims)}"}
                return httpx.Client(base_url=server.url, headers=headers)

            backend = as_(user_type="SYSTEM", sub="backend", user_id="backend")
            ada, bob = (
                as_(user_type="PATIENT", user_id=url, azp="my-app")
                for url in ("https://p.example.org/Patient/1", "urn:uuid:bob")
            )
            area = "/kvstore/api/ehealth/properties/my-app"
            assert backend.put(area).status_code == 201
            theme = backend.put(
                f"{area}/theme", content=b'{"dark": true}', headers=KIND
            )
            assert theme.status_code == 201
            mine = ada.put(f"{area}/user/me/size", content=b"12", headers=KIND)
            assert mine.status_code == 201

            assert ada.get(f"{area}/theme").json() == {"dark": True}
            assert httpx.get(theme.headers["location"]).status_code == 401
            assert bob.get(theme.headers["location"]).json() == {"dark": True}
            assert bob.get(mine.headers["location"]).status_code == 404
            assert (
                bob.put(f"{area}/theme", content=b"1", headers=KIND).status_code == 403
            )
            stranger = as_(user_type="PATIENT", user_id="urn:uuid:eve", azp="her-app")
            assert stranger.get(area).status_code == 403

            body = {"clientName": "my-app", "deviceName": "", "secret": "0042"}
            made = ada.post("/keyservice/api/createKey", json=body).json()
            asked = {"keyId": made["keyId"], "secret": "0042"}
            given = httpx.post(f"{server.url}/keyservice/api/key", json=asked).json()
            assert given == {"status": "OK", "key": made["key"]}
            assert bob.get("/keyservice/api/devices").json() == {"devices": []}
            url = f"/keyservice/api/devices/{made['keyId']}"
            assert bob.delete(url).json() == {"status": "UNKNOWN_KEY"}
            assert ada.delete(url).json() == {"status": "OK"}
            assert httpx.get(f"{server.url}/versions").status_code == 200
            for client in (backend, ada, bob, stranger):
                client.close()

            built.worker().drain()
        lines = (tmp_path / "audit.jsonl").read_text().splitlines()
        operations = [json.loads(line)["subtype"][0]["code"] for line in lines]
    told = [one for one in operations if not one.startswith("/")]
    assert told == ["createKey", "key", "deleteDevice", "deleteDevice"]
    # What a route does not tell by a name of its own is told by its path.
    assert {one.split("/")[1] for one in operations if one not in told} == {
        "keyservice",
        "kvstore",
    }
