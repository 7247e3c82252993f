"""Plugins that do nothing, by where they have hooks; what is asked of what they cost."""

import argparse

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


def parser(description: str, *, rounds: int, batch: int) -> argparse.ArgumentParser:
    """Make a command line that says how many plugins there are, and how often is asked."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--number", type=int, default=20, help="plugins of each kind")
    made.add_argument("--rounds", type=int, default=rounds, help="batches of each")
    made.add_argument("--batch", type=int, default=batch, help="requests of a batch")
    return made
