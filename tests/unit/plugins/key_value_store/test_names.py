"""Names in the paths of the Key Value Store."""

import string
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core import Invalid, Principal
from fyr.plugins.key_value_store.names import ME, is_user, name_of, require_key

LETTERS = string.ascii_letters + string.digits + "._~-"
keys = st.text(LETTERS, min_size=1, max_size=255).filter(
    lambda key: key not in (".", "..")
)


@given(keys)
def test_a_key_passes_as_it_is(key: str) -> None:
    assert require_key(key) == key


@given(
    st.text(min_size=1, max_size=300).filter(lambda text: not set(text) <= set(LETTERS))
)
def test_what_has_another_character_is_no_key(text: str) -> None:
    with pytest.raises(Invalid):
        require_key(text)


@pytest.mark.parametrize("text", ["", ".", "..", "k" * 256, "a\n", "٣"])
def test_what_is_no_step_and_not_too_long_is_a_key(text: str) -> None:
    with pytest.raises(Invalid):
        require_key(text)


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100))
def test_users_have_names_of_their_own(one: str, other: str) -> None:
    names = [name_of(Principal("PATIENT", user)) for user in (one, other)]

    assert (names[0] == names[1]) is (one == other)
    assert all(is_user(name) for name in names)
    assert ME not in names


@given(st.text(min_size=1, max_size=100))
def test_a_name_in_base64_leads_back_to_the_user(user: str) -> None:
    name = name_of(Principal("PATIENT", user))
    padded = name[1:] + "=" * (-len(name[1:]) % 4)

    assert name == user or urlsafe_b64decode(padded).decode() == user
