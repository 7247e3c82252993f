"""Errors carry what their answers need."""

from fyr.core import Unauthenticated


def test_each_401_tells_how_to_authenticate() -> None:
    assert Unauthenticated("who?").headers == {"WWW-Authenticate": 'Bearer realm="fyr"'}


def test_a_plugin_may_ask_for_another_scheme() -> None:
    error = Unauthenticated("who?", headers={"WWW-Authenticate": "Basic"})

    assert error.headers == {"WWW-Authenticate": "Basic"}
