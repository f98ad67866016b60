"""Links to reports for frames, which cannot send a header: sealed, for one report, for a minute."""

from __future__ import annotations

import time
from typing import Final

from cashup.model.errors import ConfigError
from cashup.runtime.refusals import NotFound
from cashup.runtime.vault import Vault

_BOUND: Final = "report-link"
_GOOD_S: Final = 60


class ReportLinks:
    """Make and read tickets; nothing is stored."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def make(self, backtest_id: str) -> str:
        """Return a ticket for the report of a backtest."""
        return self._vault.seal(f"{int(time.time()) + _GOOD_S} {backtest_id}", bound_to=_BOUND)

    def read(self, ticket: str) -> str:
        """Return the backtest a ticket is for.

        Raises:
            NotFound: It is not ours, or has ended.
        """
        try:
            until, _, backtest_id = self._vault.open(ticket, bound_to=_BOUND).partition(" ")
        except (ConfigError, ValueError) as e:
            raise NotFound("there is no such report") from e
        if time.time() > int(until):
            raise NotFound("the link has ended; open the report again")
        return backtest_id
