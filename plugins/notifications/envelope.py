"""The SOAP message that NAS takes: a WS-Notification ``Notify``, and what it answers.

https://docs.oasis-open.org/wsn/wsn-ws_base_notification-1.3-spec-os.pdf (Notify),
https://www.nspop.dk/display/public/web/NAS2+-+Anvenderguide (NotifyContent). The CPR number
stands in an attribute of it and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lxml import etree

WSNT = "http://docs.oasis-open.org/wsn/b-2"
ADVIS = "http://nsi.dk/advis/v10"
#: Of the element that the payload stands in.
OWN = "http://ehealth.sundhed.dk/fut/2020/02/27"
DIALECT = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple"
CPR_TYPE = "http://nsi.dk/advis/v10/CPR"
ACTION = "http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"


@dataclass(frozen=True, slots=True)
class Soap:
    """One version of SOAP: https://www.w3.org/TR/soap/."""

    namespace: str
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()


SOAP = {
    "1.1": Soap(
        "http://schemas.xmlsoap.org/soap/envelope/",
        "text/xml; charset=utf-8",
        (("SOAPAction", f'"{ACTION}"'),),
    ),
    "1.2": Soap(
        "http://www.w3.org/2003/05/soap-envelope",
        f'application/soap+xml; charset=utf-8; action="{ACTION}"',
    ),
}
Version = Literal["1.1", "1.2"]
#: What a fault says of a message that is wrong itself: 1.1, 1.2.
_SENDERS_FAULT = frozenset({"Client", "Sender"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What a receiver says is wrong; never its text, which may name the citizen."""

    #: local name of its code: ``Server``, ``Sender``
    code: str

    @property
    def is_ours(self) -> bool:
        """Whether the same message will never be taken."""
        return self.code.partition(".")[0] in _SENDERS_FAULT


def notify(
    cpr: str,
    topic: str,
    payload: str,
    version: Version = "1.1",
    *,
    as_text: bool = False,
) -> bytes:
    """Write the whole SOAP message.

    :param payload: JSON in ASCII.
    :param as_text: put it into ``NotifyContent`` itself, not into an element below.
    """
    soap = SOAP[version].namespace
    names = {"soap": soap, "wsnt": WSNT, "advis": ADVIS}
    envelope = etree.Element(etree.QName(soap, "Envelope"), nsmap=names)
    body = etree.SubElement(envelope, etree.QName(soap, "Body"))
    notify = etree.SubElement(body, etree.QName(WSNT, "Notify"))
    message = etree.SubElement(notify, etree.QName(WSNT, "NotificationMessage"))
    said = etree.SubElement(message, etree.QName(WSNT, "Topic"), Dialect=DIALECT)
    said.text = topic
    inner = etree.SubElement(message, etree.QName(WSNT, "Message"))
    content = etree.SubElement(
        inner, etree.QName(ADVIS, "NotifyContent"), id=cpr, idType=CPR_TYPE
    )
    if not as_text:
        content = etree.SubElement(
            content, etree.QName(OWN, "Notification"), nsmap={"fut": OWN}
        )
    content.text = payload
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def fault_in(answer: bytes) -> Fault | None:
    """Find the fault in an answer, of either version of SOAP.

    :raises ValueError: it is not empty and no SOAP message.
    """
    if not answer.strip():
        return None
    root = _parsed(answer)
    for soap in SOAP.values():
        if root.tag == f"{{{soap.namespace}}}Envelope":
            return _fault(root, f"{{{soap.namespace}}}")
    raise ValueError("it is no SOAP message")


def _parsed(answer: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        return etree.fromstring(answer, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise ValueError("it is not XML") from None


def _fault(root: etree._Element, soap: str) -> Fault | None:
    fault = root.find(f"{soap}Body/{soap}Fault")
    if fault is None:
        return None
    said = fault.findtext("faultcode") or fault.findtext(f"{soap}Code/{soap}Value")
    _, _, code = (said or "").strip().rpartition(":")
    known = code.partition(".")[0]
    return Fault(known if known.isascii() and known.isalpha() else "unknown")
