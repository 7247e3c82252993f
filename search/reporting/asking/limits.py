"""What is too much, told so that it can be asked in another way."""

from fyr.core.errors import FyrError

#: Said of a type whose index nobody has shown yet.
NOT_MADE = "the reporting index does not have this yet: it is being made"


class TooCostly(FyrError):
    """More than one question may cost."""

    status = 422
    code = "too-costly"


def too_many_groups(most: int) -> TooCostly:
    """Say that there are more groups than an answer may be made of."""
    return TooCostly(
        f"there are more than {most} groups: narrow the filter, take longer periods, or"
        " leave out a key"
    )
