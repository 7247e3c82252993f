"""The settings as a page of Markdown, made from their declarations."""

from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from fyr.config.settings import Settings


def settings_page() -> str:
    """Make one table for each section: name, type, default, sentence, variable."""
    top = {
        name: field
        for name, field in Settings.model_fields.items()
        if _section(field) is None
    }
    parts = [fields_table("", top)]
    for name, field in Settings.model_fields.items():
        section, place = _section(field), name
        if section is None:
            section, place = _named_section(field), f"{name}.NAME"
        if section is not None:
            parts.append(f"## `[{place}]`\n\n{_first_line(section)}\n")
            parts.append(fields_table(place.replace(".", "__"), section.model_fields))
    return "\n".join(parts)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    return _as_section(field.annotation)


def _named_section(field: FieldInfo) -> type[BaseModel] | None:
    """Tell what stands in each table of a table of tables."""
    arguments = get_args(field.annotation)
    return _as_section(arguments[-1]) if arguments else None


def _as_section(kind: Any) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _first_line(section: type[BaseModel]) -> str:
    text = (section.__doc__ or "").strip().splitlines()[0]
    sentence = text.split(": ", 1)[-1]
    return sentence[0].upper() + sentence[1:]


def fields_table(
    section: str, fields: dict[str, FieldInfo], *, variables: bool = True
) -> str:
    """Make the table of one section, for instance of a plugin's (``plugin__NAME``).

    :param variables: whether to name the environment variable of each.
    """
    last = " variable |" if variables else ""
    rows = [
        f"| setting | type | default | meaning |{last}",
        "|---|---|---|---|" + ("---|" if variables else ""),
    ]
    for name, field in fields.items():
        path = f"{section}__{name}" if section else name
        last = f" `FYR_{path.upper()}` |" if variables else ""
        rows.append(
            f"| `{name}` | {_type(field.annotation)} | {_default(field)} |"
            f" {field.description} |{last}"
        )
    return "\n".join(rows) + "\n"


def _type(kind: Any) -> str:
    arguments = [a for a in get_args(kind) if a is not type(None)]
    if _as_section(kind) is not None:
        return "table"
    if getattr(kind, "__origin__", None) is None and not arguments:
        return (
            "secret"
            if kind is SecretStr
            else str(getattr(kind, "__name__", kind)).lower()
        )
    if all(isinstance(a, (str, int)) for a in arguments):
        return " or ".join(f"`{a}`" for a in arguments)
    origin = getattr(kind, "__origin__", None)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "table"
    return _type(arguments[0])


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if field.is_required() or value in (None, "", {}) or isinstance(value, BaseModel):
        return "-"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"
