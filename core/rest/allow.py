"""Which methods a URL of a service has, for the ``Allow`` header of a 405.

https://www.rfc-editor.org/rfc/rfc9110#name-allow
"""

from fyr.core.context import RequestContext

#: Interaction -> methods, by what the URL holds: an id, a type, nothing.
_ON_INSTANCE = {
    "read": "GET, HEAD",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}
_ON_TYPE = {"search-type": "GET, HEAD", "create": "POST"}
_CONDITIONAL = {"update": "PUT", "patch": "PATCH", "delete": "DELETE"}
_ON_SYSTEM = {"search-system": "GET, HEAD", "batch": "POST", "transaction": "POST"}


def allowed_methods(context: RequestContext) -> str:
    """Tell the methods of the URL that a request was sent to; may be none."""
    service = context.service
    rules = service.types.get(context.resource_type or "")
    if context.interaction.startswith("history") or context.interaction == "vread":
        return ""
    if context.compartment is not None:
        # It is only ever searched, and that is what is not offered.
        return ""
    if rules is None:
        offered, methods = service.system_interactions, _ON_SYSTEM
    elif context.resource_id:
        offered, methods = rules.interactions, _ON_INSTANCE
    else:
        offered, methods = rules.interactions, {**_ON_TYPE, **_CONDITIONAL}
        criteria = {one for one in _CONDITIONAL if not rules.takes_criteria(one)}
        methods = {one: methods[one] for one in methods if one not in criteria}
    found = [methods[one] for one in methods if one in offered]
    return ", ".join(dict.fromkeys(found))
