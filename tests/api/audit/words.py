"""Whom the tests of the audit log are about, and how they read what it tells."""

import json
from base64 import b64decode
from dataclasses import replace

from fyr.core.testing.principals import PRACTITIONER

BASE = "http://localhost/fhir"


NURSE = replace(PRACTITIONER, user_id="https://org.example.org/fhir/Practitioner/9")


CPR = "2603200001"


LIFECYCLES = {"1": "create", "3": "update", "6": "read", "14": "delete"}


class Log:
    """The file of an audit log, in short."""

    def __init__(self, app):
        self._app = app
        self._path = app.settings.data_dir / "audit.jsonl"

    def all(self):
        """Tell the AuditEvents, once the worker has made them."""
        self._app.worker().drain()
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def text(self):
        self.all()
        return self._path.read_text()

    def one(self):
        (event,) = self.all()
        return event


def entities(event, role):
    return [one for one in event["entity"] if one["role"]["code"] == role]


def patients(event):
    return [one["what"]["reference"] for one in entities(event, "1")]


def touched(event):
    return [
        (
            LIFECYCLES[one["lifecycle"]["code"]],
            one["what"]["reference"].removeprefix(f"{BASE}/"),
        )
        for one in entities(event, "4")
    ]


def query(event):
    (one,) = entities(event, "24")
    return json.loads(b64decode(one["query"]))
