"""Request headers that an operation goes by."""

import pytest

from fyr.core import Operation, OperationParameter, Plugin, hookimpl


class Echo(Plugin):
    @hookimpl
    def register_operations(self):
        def echo(call):
            told = [
                {"name": name, "valueString": value}
                for name, value in call.context.headers.items()
            ]
            return {
                "resourceType": "Parameters",
                **({"parameter": told} if told else {}),
            }

        yield Operation(
            "echo",
            echo,
            frozenset({"system"}),
            headers=("X-Size",),
            parameters=(OperationParameter("return", "Parameters", use="out"),),
        )


@pytest.fixture
def fyr_plugins():
    return {"echo": Echo}


@pytest.fixture
def fyr_options():
    return {"plugins": {"enabled": ["search", "echo"]}}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_operation_is_given_the_headers_that_it_names(fyr_client, method):
    answer = fyr_client.request(
        method, "$echo", headers={"x-size": "240p", "X-Other": "no"}
    )

    assert answer.json["parameter"] == [{"name": "x-size", "valueString": "240p"}]


def test_a_header_that_was_not_sent_is_not_there(fyr_client):
    assert fyr_client.get("$echo").json == {"resourceType": "Parameters"}
