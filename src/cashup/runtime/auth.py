"""Who asks, and what he may do. One table of permissions; what is not in it is refused.

| Role          | May                                                                                    |
|---------------|----------------------------------------------------------------------------------------|
| trader        | run strategies and backtests, trade his own accounts, keep his own keys and channels   |
| developer     | all of that, and write strategies and optimise them                                    |
| administrator | see everything, manage users, settings and backups; never trade for others             |

The owner of an installation holds all three roles.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cashup.model.errors import explain
from cashup.runtime.refusals import Forbidden

__all__ = ["PERMISSIONS", "Caller", "Permission", "Role", "permissions_of"]


class Role(StrEnum):
    """What kind of user somebody is."""

    TRADER = "trader"
    DEVELOPER = "developer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One thing a caller may do; an API key carries a subset of its owner's."""

    PROFILE = "profile"
    DATA_READ = "data:read"
    DATA_WRITE = "data:write"
    STRATEGY_READ = "strategy:read"
    STRATEGY_WRITE = "strategy:write"
    BACKTEST = "backtest"
    OPTIMIZE = "optimize"
    TRADE_READ = "trade:read"
    TRADE = "trade"
    RISK = "risk"
    CREDENTIALS = "credentials"
    NOTIFY = "notify"
    ALERTS = "alerts"
    USERS = "users"
    SETTINGS = "settings"
    AUDIT = "audit"
    BACKUP = "backup"
    MONITOR = "monitor"


_EVERYONE: Final = frozenset(
    {
        Permission.PROFILE,
        Permission.DATA_READ,
        Permission.STRATEGY_READ,
        Permission.TRADE_READ,
        Permission.NOTIFY,
        Permission.ALERTS,
    }
)
_TRADER: Final = _EVERYONE | {
    Permission.DATA_WRITE,
    Permission.BACKTEST,
    Permission.TRADE,
    Permission.RISK,
    Permission.CREDENTIALS,
}
PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.TRADER: _TRADER,
    Role.DEVELOPER: _TRADER | {Permission.STRATEGY_WRITE, Permission.OPTIMIZE},
    Role.ADMINISTRATOR: _EVERYONE
    | {Permission.USERS, Permission.SETTINGS, Permission.AUDIT, Permission.BACKUP, Permission.MONITOR},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who asks.

    Attributes:
        user_id: Whose objects he owns.
        roles: What he is.
        permissions: What he may do: that of his roles, or less when an API key asks.
        session_id: The session of his token; empty for an API key.
        api_key_id: The API key he asks with; empty for a token.
        address: Where the request comes from.
    """

    user_id: str
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    session_id: str = ""
    api_key_id: str = ""
    address: str = ""

    def may(self, permission: Permission) -> bool:
        """Say whether he may."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Refuse him unless he may.

        Raises:
            Forbidden: He may not.
        """
        if permission not in self.permissions:
            raise Forbidden(
                explain(
                    f"the permission {permission.value!r} is missing",
                    hint="An administrator can give the role, and an API key its scope",
                )
            )

    def owns(self, owner_id: str) -> bool:
        """Say whether an object of `owner_id` is his own."""
        return owner_id == self.user_id

    def may_see(self, owner_id: str) -> bool:
        """Say whether he may look at an object of `owner_id`: his own, or anybody's for an administrator."""
        return owner_id == self.user_id or Role.ADMINISTRATOR in self.roles


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Return what somebody with these roles may do."""
    return frozenset().union(*(PERMISSIONS[role] for role in roles)) if roles else frozenset()
