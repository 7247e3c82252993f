"""Trace and request ids: https://www.w3.org/TR/trace-context/."""

import pytest

from fyr.core.observability.logging import TRACE
from fyr.core.rest.exchange import Exchange

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_PARENT = f"00-{_TRACE}-00f067aa0ba902b7-01"


def identified(**sent: str) -> Exchange:
    exchange = Exchange()
    exchange.identify({f"HTTP_{name}": value for name, value in sent.items()})
    return exchange


def test_a_request_without_ids_gets_one_of_its_own() -> None:
    one, other = identified(), identified()

    assert len(one.trace_id) == 32
    assert one.request_id == one.trace_id != other.trace_id
    assert TRACE.get() == other.trace_id


def test_a_request_id_that_was_sent_is_kept() -> None:
    exchange = identified(X_REQUEST_ID="abc-1.2")

    assert (exchange.request_id, exchange.trace_id) == ("abc-1.2", "abc-1.2")


@pytest.mark.parametrize(
    "sent",
    ["", "a b", "x" * 129, 'a"b', "é", "of-260320-0001", "eyJhbGciOiJS.eyJzdWIi.c2ln"],
)
def test_a_request_id_that_could_do_harm_is_not_echoed(sent: str) -> None:
    assert len(identified(X_REQUEST_ID=sent).request_id) == 32


def test_a_trace_goes_on_with_a_span_of_ours() -> None:
    exchange = identified(TRACEPARENT=_PARENT, X_REQUEST_ID="abc")

    version, trace, span, flags = exchange.traceparent.split("-")
    assert (version, trace, flags) == ("00", _TRACE, "01")
    assert span != "00f067aa0ba902b7"
    assert (exchange.trace_id, exchange.request_id) == (_TRACE, "abc")


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00-xyz",
        _PARENT.upper(),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        _PARENT.replace("00-4", "ff-4"),
    ],
)
def test_a_trace_that_is_none_is_replaced(parent: str) -> None:
    exchange = identified(TRACEPARENT=parent)

    assert exchange.traceparent == ""
    assert exchange.trace_id not in (_TRACE, "0" * 32)
