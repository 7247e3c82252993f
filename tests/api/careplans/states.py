"""How tests change states, and what they read of them."""

import json
from datetime import timedelta

from ..guide import EHEALTH, PATCH, to


def planned(kind, status, moment):
    name = {
        "EpisodeOfCare": "episodeofcare-statusschedule",
        "CarePlan": "careplan-statusschedule",
        "ServiceRequest": "servicerequest-statusSchedule",
    }[kind]
    return {
        "url": EHEALTH + name,
        "extension": [
            {"url": "status", "valueCode": status},
            {"url": "scheduledTime", "valueDateTime": moment},
        ],
    }


def of(resource, name):
    return [one for one in resource.get("extension", []) if one["url"].endswith(name)]


def value(one):
    return next(v for k, v in one.items() if k != "url")


def history(resource, name="statusHistory"):
    """Tell states or teams with whether they have ended."""
    told = []
    for one in of(resource, name):
        what, period = map(value, one["extension"])
        said = what.get("reference") or what["coding"][0]["code"]
        told.append((said, "end" in period))
    return told


def work(clinic, **by):
    clinic.clock.advance(**by)
    clinic.built.worker().drain()


def after(clinic, **by):
    """Tell a moment that is to come, by the clock of the clinic."""
    return f"{clinic.clock() + timedelta(**by):%Y-%m-%dT%H:%M:%S}+00:00"


def patch(client, reference, *operations):
    body = json.dumps(list(operations)).encode()
    return client.patch(reference, body, PATCH)


def to_status(status):
    return {"op": "replace", "path": "/status", "value": status}


def put(clinic, client, reference, **changes):
    return client.update({**clinic.read(reference), **changes})


def consents_from(clinic, episode, start=None, end=None, **more):
    """Consent to take part, from one moment or day to another."""
    period = {"start": start, "end": end}
    provision = {
        "data": [{"meaning": "instance", "reference": to(episode)}],
        "period": {name: one for name, one in period.items() if one},
        **more,
    }
    return clinic.consent(episode, provision=provision)
