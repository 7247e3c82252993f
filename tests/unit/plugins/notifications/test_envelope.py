"""The SOAP message, element by element, and what is made of answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from fyr.plugins.notifications.envelope import Fault, Version, fault_in, notify

NAMES = {
    "s11": "http://schemas.xmlsoap.org/soap/envelope/",
    "s12": "http://www.w3.org/2003/05/soap-envelope",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "advis": "http://nsi.dk/advis/v10",
    "fut": "http://ehealth.sundhed.dk/fut/2020/02/27",
}
TOPIC = "http://ehealth.sundhed.dk/fut/2020/02/27:careplan.created"
CPR = "0101010008"


def shape(node: Any) -> tuple[Any, ...]:
    """Tell an element with its attributes, its text and what is in it."""
    below = tuple(shape(one) for one in node)
    return (node.tag, dict(node.attrib), node.text if not below else None, below)


def named(prefix: str, name: str) -> str:
    return f"{{{NAMES[prefix]}}}{name}"


@pytest.mark.parametrize(("version", "soap"), [("1.1", "s11"), ("1.2", "s12")])
@pytest.mark.parametrize("as_text", [False, True])
def test_the_envelope_holds_topic_citizen_and_payload_and_nothing_else(
    version: Version, soap: str, as_text: bool
) -> None:
    written = notify(CPR, TOPIC, '{"eventId":6}', version, as_text=as_text)

    told = (named("fut", "Notification"), {}, '{"eventId":6}', ())
    content = (
        named("advis", "NotifyContent"),
        {"id": CPR, "idType": "http://nsi.dk/advis/v10/CPR"},
        '{"eventId":6}' if as_text else None,
        () if as_text else (told,),
    )
    dialect = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple"
    message = (
        (named("wsnt", "Topic"), {"Dialect": dialect}, TOPIC, ()),
        (named("wsnt", "Message"), {}, None, (content,)),
    )
    inside = (named("wsnt", "NotificationMessage"), {}, None, message)
    notify_ = (named("wsnt", "Notify"), {}, None, (inside,))
    body = (named(soap, "Body"), {}, None, (notify_,))
    assert shape(etree.fromstring(written)) == (
        named(soap, "Envelope"),
        {},
        None,
        (body,),
    )


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner)))
def test_whatever_the_payload_says_comes_out_of_the_envelope_as_it_went_in(
    value: Any,
) -> None:
    payload = json.dumps({"value": value})
    root = etree.fromstring(notify(CPR, TOPIC, payload))

    (told,) = root.iter(named("fut", "Notification"))
    assert told.text == payload
    assert json.loads(told.text) == {"value": value}


def answer(fault: str, soap: str = NAMES["s11"]) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{soap}"><s:Body>{fault}</s:Body></s:Envelope>'
    ).encode()


def fault_11(code: str) -> bytes:
    text = "<faultstring>0101010008 is not known</faultstring>"
    return answer(f"<s:Fault><faultcode>{code}</faultcode>{text}</s:Fault>")


def fault_12(code: str) -> bytes:
    value = f"<s:Code><s:Value>{code}</s:Value></s:Code>"
    return answer(f"<s:Fault>{value}</s:Fault>", NAMES["s12"])


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"", None),
        (b" \n", None),
        (answer(""), None),
        (answer("<ok/>", NAMES["s12"]), None),
        (fault_11("s:Server"), Fault("Server")),
        (fault_11("s:Client"), Fault("Client")),
        (fault_11("Client.Topic"), Fault("Client")),
        (fault_11("0101010008"), Fault("unknown")),
        (fault_12("s:Sender"), Fault("Sender")),
        (fault_12(" s:Receiver "), Fault("Receiver")),
        (answer("<s:Fault/>"), Fault("unknown")),
    ],
)
def test_a_fault_is_told_by_its_code_and_never_by_its_text(
    said: bytes, fault: Fault | None
) -> None:
    assert fault_in(said) == fault


@pytest.mark.parametrize(
    ("code", "ours"),
    [("Client", True), ("Sender", True), ("Server", False), ("unknown", False)],
)
def test_a_fault_of_the_sender_will_not_go_away(code: str, ours: bool) -> None:
    assert Fault(code).is_ours is ours


@pytest.mark.parametrize(
    "said",
    [
        b"OK",
        b"<html><body>Please log in</body></html>",
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;",
        b"\xff\xfe",
    ],
)
def test_an_answer_that_is_no_soap_is_no_success(said: bytes) -> None:
    with pytest.raises(ValueError, match="it is n"):
        fault_in(said)


@given(st.binary(min_size=1).filter(lambda said: said.strip()))
def test_no_answer_breaks_the_reader(said: bytes) -> None:
    with pytest.raises(ValueError, match="it is n"):
        fault_in(said)
