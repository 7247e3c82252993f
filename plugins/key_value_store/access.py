"""Who may use which area.

| caller | client's values | own values | other users' values |
|---|---|---|---|
| system user of the client | read, write | read, write | read, write |
| user | read | read, write | not found |
| anybody else | refused | refused | refused |
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from fyr.core import Principal
from fyr.plugins.key_value_store.names import CODES, ME, Area, is_client, name_of
from fyr.plugins.key_value_store.settings import ClientSettings


class Role(Enum):
    """What somebody is to a client."""

    SYSTEM = "system user"
    USER = "user"


class Access:
    """Knows the clients, their system users and their users."""

    def __init__(self, clients: Iterable[ClientSettings]) -> None:
        """Take the clients that have an area."""
        self._clients = {(one.realm, one.client_id): one for one in clients}

    def role(self, principal: Principal, realm: str, application: str) -> Role:
        """Tell what somebody is to a client.

        :raises fyr.core.Forbidden: nothing; no answer tells whether there is such a one.
        """
        if principal.unrestricted:
            if is_client(realm) and is_client(application):
                return Role.SYSTEM
            raise CODES["KEY_VALUE_STORE_CLIENT_NOT_ALLOWED"].error()
        if principal.realm != realm:
            raise CODES["KEY_VALUE_STORE_REALM_NOT_ALLOWED"].error()
        client = self._clients.get((realm, application))
        if client is not None:
            if principal.user_type == "SYSTEM":
                if principal.user_id in client.system_users:
                    return Role.SYSTEM
            elif principal.client_id in (client.client_id, *client.user_clients):
                return Role.USER
        raise CODES["KEY_VALUE_STORE_CLIENT_NOT_ALLOWED"].error()

    def client_area(
        self, principal: Principal, realm: str, application: str, *, write: bool
    ) -> Area:
        """Give the area of a client.

        :raises fyr.core.Forbidden: to whom may not use it so.
        """
        role = self.role(principal, realm, application)
        if write and role is not Role.SYSTEM:
            raise CODES["KEY_VALUE_STORE_WRITE_NOT_ALLOWED"].error()
        return Area(realm, application)

    def user_area(
        self, principal: Principal, realm: str, application: str, user: str
    ) -> Area:
        """Give the area of a user, to that user and to system users.

        :raises fyr.core.Forbidden: to whom is nothing to the client.
        :raises fyr.core.NotFound: to other users, so that they learn nothing.
        """
        role = self.role(principal, realm, application)
        own = name_of(principal)
        owner = own if user == ME else user
        if role is not Role.SYSTEM and owner != own:
            raise CODES["KEY_VALUE_STORE_VALUE_NOT_FOUND"].error()
        return Area(realm, application, owner)

    def may_read(self, principal: Principal, area: Area) -> bool:
        """Whether somebody of the realm may read in an area."""
        client = self._clients.get((area.realm, area.application))
        if principal.unrestricted:
            return True
        if client is None or principal.realm != area.realm:
            return False
        if principal.user_type == "SYSTEM":
            return principal.user_id in client.system_users
        known = principal.client_id in (client.client_id, *client.user_clients)
        return known and area.owner in ("", name_of(principal))
