"""Log lines: structured, on standard error, with the trace id of the request in them."""

import logging
import sys
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

from fyr.config.settings import LogSettings
from fyr.core.observability.masking import masked

#: The trace id of what this thread does now; empty between requests.
TRACE: ContextVar[str] = ContextVar("fyr_trace", default="")

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logging(settings: LogSettings) -> None:
    """Set up logging for this process and those that it forks.

    Lines of libraries that use the standard ``logging`` module are joined in.
    """
    level = _LEVELS[settings.level]
    as_text = settings.format == "text" or (
        settings.format == "auto" and sys.stderr.isatty()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending = [*(_text_ending() if as_text else _json_ending()), _mask]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_Joined()]
    root.setLevel(max(level, logging.WARNING))
    # It would warn of each request that waits a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def _add_trace(_logger: Any, _method: str, line: Any) -> Any:
    trace_id = TRACE.get()
    if trace_id:
        line.setdefault("trace_id", trace_id)
    return line


def _mask(_logger: Any, _method: str, line: str) -> str:
    return masked(line)


def _text_ending() -> list[Any]:
    # Not the fancy one: it would show the values of variables, and with them people.
    plain = structlog.dev.plain_traceback
    colors = sys.stderr.isatty()
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]


def _json_ending() -> list[Any]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(
            serializer=lambda line, **_: orjson.dumps(line, default=str).decode()
        ),
    ]


class _Joined(logging.Handler):
    """Hands the lines of the standard library's loggers to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)
