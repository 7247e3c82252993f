"""Plugins that are made of functions."""

from fyr.core import hookimpl
from fyr.core.hooks.pipeline import Hooks


def plugin(**implementations):
    """Make a plugin of functions named as hooks."""
    functions = {
        name: staticmethod(hookimpl(body)) for name, body in implementations.items()
    }
    return type("Made", (), functions)()


def hooks_of(hook, *functions):
    """Make hooks of plugins a, b, c, ... that implement one hook each."""
    return Hooks(
        {
            name: plugin(**{hook: body})
            for name, body in zip("abcd", functions, strict=False)
        }
    )


def raising(error):
    def body():
        raise error

    return body
