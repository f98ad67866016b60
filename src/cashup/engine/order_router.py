"""From what a strategy decided to what the venue is asked: requests, risk, journal, venue, in this order."""

from __future__ import annotations

from collections.abc import Sequence

from cashup.engine.codes import REASONS, reason_code
from cashup.engine.decision_book import DecisionBook
from cashup.engine.execution import ExecutionEngine
from cashup.engine.node_host import Action, Linked, NodeHost, Placed, Withdrawn
from cashup.engine.order_rows import Row, group_of, request_of
from cashup.engine.ports import Clock, ExchangeClient, IdSource, JoinGroup
from cashup.engine.risk import RiskEngine
from cashup.kernel import types as k
from cashup.model.commands import CancelOrder, SubmitOrder
from cashup.model.errors import OrderRefused
from cashup.model.ids import AccountId, ClientOrderId, InstrumentId, StrategyId
from cashup.model.orders import OrderRequest
from cashup.model.reasons import OrderReason
from cashup.runtime.bus import MessageBus


class OrderRouter:
    """Send a host's actions on, each order under a client order id of its own.

    Attributes:
        numbers: Row of each order in the node's order table (its id there) by client order id.
    """

    def __init__(
        self,
        host: NodeHost,
        book: DecisionBook,
        *,
        risk: RiskEngine,
        execution: ExecutionEngine,
        client: ExchangeClient,
        clock: Clock,
        ids: IdSource,
        bus: MessageBus,
        instruments: Sequence[InstrumentId],
        account_id: AccountId,
        strategy_id: StrategyId,
    ) -> None:
        self.numbers: dict[ClientOrderId, int] = {}
        self._names: list[ClientOrderId] = []
        self._host = host
        self._book = book
        self._risk = risk
        self._execution = execution
        self._client = client
        self._clock = clock
        self._ids = ids
        self._bus = bus
        self._instruments = tuple(instruments)
        self._account_id = account_id
        self._strategy_id = strategy_id

    def flush(self) -> None:
        """Send everything the host has noted, in the order it was decided."""
        actions, self._host.actions = self._host.actions, []
        if len(actions) == 1 and isinstance(actions[0], Placed):
            self._send((self._host.order(actions[0].order),))
            return
        bundle: list[Row] = []
        for action in actions:
            if isinstance(action, Placed):
                row: Row = self._host.order(action.order)
                if bundle and row.parent not in {other.id for other in bundle}:
                    self._send(bundle)
                    bundle = []
                bundle.append(row)
                continue
            if bundle:
                self._send(bundle)
                bundle = []
            self._pass_on(action)
        if bundle:
            self._send(bundle)

    def _pass_on(self, action: Action) -> None:
        now = self._clock.now()
        if isinstance(action, Withdrawn):
            self._execution.cancel(
                CancelOrder(
                    account_id=self._account_id,
                    strategy_id=self._strategy_id,
                    ts_init=now,
                    instrument_id=self._instrument_of(action.order),
                    client_order_id=self._names[action.order - 1],
                )
            )
        elif isinstance(action, Linked):
            for number in (action.first, action.second):
                group = group_of(self._host.order(number), self._strategy_id)
                if group is not None:
                    self._client.join_group(
                        JoinGroup(
                            account_id=self._account_id,
                            strategy_id=self._strategy_id,
                            ts_init=now,
                            client_order_id=self._names[number - 1],
                            group_id=group,
                        )
                    )

    def _send(self, rows: Sequence[Row]) -> None:
        """Judge an order with its children, and send what may go."""
        allowed: list[OrderRequest] = []
        refused: set[ClientOrderId] = set()
        for row in rows:
            request = self._request(row)
            refusal = self._refusal(row, request, refused)
            if refusal is None:
                allowed.append(request)
                continue
            refused.add(request.client_order_id)
            self._book.status(row.id, k.REJECTED, reason_code(refusal.reason), self._clock.now())
            denied = self._execution.deny(request, refusal)
            if self._bus.listens(type(denied)):
                self._bus.publish(denied)
        if allowed:
            self._execution.submit(
                SubmitOrder(
                    account_id=self._account_id,
                    strategy_id=self._strategy_id,
                    ts_init=self._clock.now(),
                    requests=tuple(allowed),
                )
            )

    def _refusal(self, row: Row, request: OrderRequest, refused: set[ClientOrderId]) -> OrderRefused | None:
        if request.parent_id in refused:
            reason = OrderReason.PARENT
            return OrderRefused(f"order {request.client_order_id}: {reason.description}", reason=reason)
        if row.status == k.REJECTED:
            reason = REASONS[row.reason]
            return OrderRefused(f"order {request.client_order_id}: {reason.description}", reason=reason)
        return self._risk.check(request)

    def _request(self, row: Row) -> OrderRequest:
        name = ClientOrderId(self._ids.next_id())
        self._names.append(name)
        self.numbers[name] = row.id
        place = row.instrument if 0 <= row.instrument < len(self._instruments) else -1
        return request_of(
            row,
            client_order_id=name,
            parent_id=self._names[row.parent - 1] if row.parent else None,
            instrument_id=self._instruments[place] if place >= 0 else InstrumentId(f"#{row.instrument}"),
            grid=self._book.grid_of(max(place, 0)),
            account_id=self._account_id,
            strategy_id=self._strategy_id,
        )

    def _instrument_of(self, number: int) -> InstrumentId:
        row: Row = self._host.order(number)
        place: int = row.instrument
        return self._instruments[place]
