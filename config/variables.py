"""Lists and tables of plugins in environment variables: JSON, as for all other settings.

Which of a plugin's settings are lists only the plugin's own model tells, which is not
known yet when the variables are read.
"""

import json
from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

_LISTS = (list, dict, tuple, set, frozenset)


def with_json_read(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Parse texts that stand where a model wants a list or a table.

    What is no JSON is left as it is, for the model to refuse.
    """
    return {
        name: _read(model.model_fields[name].annotation, value)
        if name in model.model_fields
        else value
        for name, value in values.items()
    }


def _read(kind: Any, value: Any) -> Any:
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if isinstance(value, str) and str not in kinds and any(map(_is_list, kinds)):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    if isinstance(value, dict):
        for one in kinds:
            if _is_model(one):
                return with_json_read(one, value)
    return value


def _is_list(kind: Any) -> bool:
    return (get_origin(kind) or kind) in _LISTS or _is_model(kind)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
