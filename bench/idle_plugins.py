"""Plugins that do nothing, by where they have hooks."""

ELSEWHERE = """
from fyr.core import hookimpl

@hookimpl
def register_commands():
    return ()

@hookimpl
def narrow_search(context, resource_type, params):
    return None
"""
ON_WRITES = """
from fyr.core import hookimpl

@hookimpl
def before_store(new):
    pass
"""
ON_ALL = """
from fyr.core import hookimpl

@hookimpl(quick=True)
def authorize(context):
    pass

@hookimpl(quick=True)
def completed(context):
    pass
"""
ALONE = "none"
KINDS = {
    ALONE: "",
    "none, again": "",
    "hooks elsewhere": ELSEWHERE,
    "a hook on writes": ON_WRITES,
    "two on each request": ON_ALL,
}
