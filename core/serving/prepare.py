"""What must be true before the first request: safe settings, a schema of this version."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import structlog

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.app import build
from fyr.core.hosts import beyond_loopback, is_loopback, public_names
from fyr.core.serving.cautions import cautions

log = structlog.get_logger("fyr.serving")


def refuse_unsafe(settings: Settings) -> None:
    """Refuse settings that no server can keep its promises with.

    :raises ConfigError: open mode outside loopback or for all pages, closed mode
        there without a public URL, the embedded
        broker there, or a store in memory.
    """
    if settings.store.url == "sqlite://":
        raise ConfigError(
            [
                'store.url: "sqlite://" is a store of one process, and a server has'
                ' several: name a file, such as "sqlite:///fyr.db"'
            ]
        )
    messages = urlsplit(settings.messages.url)
    if messages.scheme == "embedded" and not is_loopback(messages.hostname or ""):
        raise ConfigError(
            [
                "messages.url: the embedded broker knows no users and is for loopback"
                f" only: not for {messages.hostname}"
            ]
        )
    if settings.security.mode == "open" and (beyond := beyond_loopback(settings)):
        raise ConfigError(
            [
                'security.mode: "open" lets everybody do everything and is for'
                f" loopback only; {beyond}"
            ]
        )
    if beyond_loopback(settings) and not public_names(settings):
        raise ConfigError(
            [
                "server.public_url: without it only the names of this machine are"
                " answered to, as what a client calls the server must not decide whose"
                f" URLs are its own; {beyond_loopback(settings)}"
            ]
        )
    if settings.security.mode == "open" and "*" in settings.server.cors_origins:
        raise ConfigError(
            [
                'server.cors_origins: with "*" every web page that somebody looks at on'
                " this machine could read and write all that an open server keeps:"
                ' name the origins, or "loopback"'
            ]
        )


def doubts(settings: Settings) -> Iterator[str]:
    """Tell what a server does as it is told, and nobody should want."""
    messages = urlsplit(settings.messages.url)
    beyond = not is_loopback(messages.hostname or "")
    if messages.scheme == "mqtt" and settings.messages.username and beyond:
        yield (
            "messages.url: mqtt:// sends the password, and all messages, in the open to"
            f" {messages.hostname}: use mqtts://"
        )


def prepare(settings: Settings) -> None:
    """Bring the schema up to date, check that all plugins load, put in the demo data."""
    for doubt in doubts(settings):
        log.warning("settings are doubtful", problem=doubt)
    application = build(settings)
    try:
        for sentence in cautions(settings, application.plugins):
            log.warning("look at the settings", problem=sentence)
        if settings.demo:
            from fyr.core.serving.demo import load_demo

            load_demo(application)
    finally:
        application.close()
