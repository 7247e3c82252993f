"""Who is notified of what, and how tests read it."""

import json
from collections.abc import Callable
from typing import Any

from lxml import etree

from fyr.core.testing.receiver import Received, Reply
from fyr.plugins.notifications.cpr import CPR_SYSTEM

CPR = "0101010008"


NOTIFY_CONTENT = "{http://nsi.dk/advis/v10}NotifyContent"


SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"


SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


#: More than the longest wait between two tries.
LONG = {"hours": 1}


def patient(*numbers: str) -> dict[str, Any]:
    said = [{"system": CPR_SYSTEM, "value": n, "use": "official"} for n in numbers]
    told = {"resourceType": "Patient", "id": "12"}
    return {**told, "identifier": said} if said else told


def plan(number: int = 1, status: str = "active") -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "id": f"p{number}",
        "status": status,
        "intent": "plan",
        "title": "What nobody is told",
        "subject": {"reference": "Patient/12"},
    }


def numbers(received: list[Received]) -> list[str]:
    """Tell the resources that a webhook was told of."""
    return [one.json["resourceReference"].rpartition("/")[2] for one in received]


def in_envelope(request: Received) -> dict[str, Any]:
    (content,) = etree.fromstring(request.body).iter(NOTIFY_CONTENT)
    return {"cpr": content.get("id"), **json.loads("".join(content.itertext()))}


def fault(code: str, status: int, soap: str = SOAP_11) -> Callable[[Any], Reply]:
    value = f"<faultcode>s:{code}</faultcode><faultstring>{CPR}</faultstring>"
    if soap == SOAP_12:
        value = f"<s:Code><s:Value>s:{code}</s:Value></s:Code>"
    inside = f"<s:Body><s:Fault>{value}</s:Fault></s:Body>"
    body = f'<s:Envelope xmlns:s="{soap}">{inside}</s:Envelope>'.encode()
    return lambda request: Reply(status, body)
