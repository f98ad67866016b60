"""How a node enters what a venue in the same process says in rows: straight into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cashup.engine.cache import DataCache
from cashup.engine.decision_book import DecisionBook
from cashup.engine.node_host import Linked, NodeHost, Placed, Withdrawn
from cashup.engine.order_rows import Row
from cashup.engine.portfolio import Portfolio
from cashup.engine.ports import RowVenue
from cashup.engine.row_changes import ChangeWriter
from cashup.engine.venue_voices import RowChanged, RowFilled, RowPaid, RowResized
from cashup.kernel import types as k
from cashup.model.ids import ClientOrderId, StrategyId


class RowEntries:
    """Enter rows into the ledger; the exact books write them down when they are looked at."""

    __slots__ = ("_book", "_cache", "_host", "_portfolio", "_strategy_id", "_writer")

    def __init__(
        self,
        book: DecisionBook,
        cache: DataCache,
        host: NodeHost,
        portfolio: Portfolio,
        strategy_id: StrategyId,
    ) -> None:
        self._book = book
        self._cache = cache
        self._host = host
        self._portfolio = portfolio
        self._strategy_id = strategy_id
        account = portfolio.account_id
        self._writer = ChangeWriter(tuple(portfolio.instruments.values()), account, portfolio.currency)

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return what to call for each kind of row."""
        return {
            RowChanged: self._on_changed,
            RowResized: self._on_resized,
            RowFilled: self._on_filled,
            RowPaid: self._on_paid,
        }

    def _on_changed(self, change: RowChanged) -> None:
        self._book.status(change.number, change.status, change.reason, change.ts_event)

    def _on_resized(self, change: RowResized) -> None:
        self._book.quantity(change.number, change.quantity)

    def _on_filled(self, change: RowFilled) -> None:
        self._book.expect(self._cache.count)
        self._book.fill_row(change.number, change.fill, total=change.total, is_last=change.is_last)
        name = ClientOrderId(str(change.number)) if change.number else None
        self._portfolio.add(
            partial(self._writer.fill, change.fill, change.ts_init, name=name, strategy_id=self._strategy_id)
        )
        self._host.make_room()

    def _on_paid(self, change: RowPaid) -> None:
        self._book.expect(self._cache.count)
        self._book.funding_row(change.payment)
        self._portfolio.add(partial(self._writer.payment, change.payment, change.ts_init))


class RowRouter:
    """Send a host's actions on as rows."""

    __slots__ = ("_host", "_venue")

    def __init__(self, host: NodeHost, venue: RowVenue) -> None:
        self._host = host
        self._venue = venue

    def flush(self) -> None:
        """Send everything the host has noted, in the order it was decided; what was refused stays here."""
        actions, self._host.actions = self._host.actions, []
        rows: list[Row] = []
        for action in actions:
            if isinstance(action, Placed):
                row: Row = self._host.order(action.order)
                if row.status != k.REJECTED:
                    rows.append(row)
                continue
            if rows:
                self._venue.place_rows(rows)
                rows = []
            if isinstance(action, Withdrawn):
                self._venue.cancel_row(action.order)
            elif isinstance(action, Linked):
                self._regroup(action)
        if rows:
            self._venue.place_rows(rows)

    def _regroup(self, action: Linked) -> None:
        for number in (action.first, action.second):
            row: Row = self._host.order(number)
            if row.group:
                self._venue.group_row(number, row.group)
