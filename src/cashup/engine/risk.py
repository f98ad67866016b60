"""The gate every order passes: rules in order, and the switch that stops everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext

from cashup.engine.execution import ExecutionEngine
from cashup.engine.portfolio import Portfolio
from cashup.engine.rules import RiskView, Rule, refuse
from cashup.model.errors import OrderRefused
from cashup.model.ids import InstrumentId
from cashup.model.instrument import Instrument
from cashup.model.money import MONEY_CONTEXT, ZERO
from cashup.model.orders import OrderRequest, Side
from cashup.model.reasons import OrderReason


class RiskEngine:
    """Allow or refuse orders. What it allows counts at once in the view the next order is judged by."""

    __slots__ = ("_halted", "_rules", "_view")

    def __init__(self, rules: Sequence[Rule], view: RiskView) -> None:
        self._rules = tuple(rules)
        self._view = view
        self._halted: str | None = None

    @property
    def halted(self) -> str | None:
        """Why trading is halted, or None while it is not."""
        return self._halted

    def halt(self, message: str) -> None:
        """Refuse every order from now on, except those that only reduce."""
        self._halted = message or "halted on request"

    def resume(self) -> None:
        """Judge orders by the rules again."""
        self._halted = None

    def check(self, request: OrderRequest) -> OrderRefused | None:
        """Return the refusal of the first rule that refuses, or None when the order may be sent."""
        if self._halted is not None and not (request.reduce_only or request.close_position):
            return refuse(
                request,
                OrderReason.KILL_SWITCH,
                "client_order_id",
                f"trading is halted: {self._halted}",
                "only orders that reduce a position until trading resumes",
            )
        for rule in self._rules:
            refusal = rule.check(request, self._view)
            if refusal is not None:
                return refusal
        return None


class AccountView:
    """The account as rules see it: the books, the orders that still work, the last prices."""

    __slots__ = ("_execution", "_last_price", "_portfolio")

    def __init__(
        self,
        portfolio: Portfolio,
        execution: ExecutionEngine,
        last_price: Callable[[InstrumentId], Decimal | None],
    ) -> None:
        self._portfolio = portfolio
        self._execution = execution
        self._last_price = last_price

    def instrument(self, instrument_id: InstrumentId) -> Instrument | None:
        """Return the instrument, or None when the node does not trade it."""
        return self._portfolio.instruments.get(instrument_id)

    def price(self, instrument_id: InstrumentId) -> Decimal | None:
        """Return the last known price, quote currency, or None before the first."""
        return self._last_price(instrument_id)

    def position(self, instrument_id: InstrumentId) -> Decimal:
        """Return the signed quantity held."""
        return self._portfolio.position(instrument_id).quantity

    def working(self, instrument_id: InstrumentId, side: Side) -> Decimal:
        """Return the quantity that orders of one side may still add to the position (not reduce-only).

        An order sized by its value counts with what that buys at the last price.
        """
        total = ZERO
        with localcontext(MONEY_CONTEXT):
            for order in self._execution.working.values():
                request = order.request
                if request.instrument_id != instrument_id or request.side is not side or request.reduce_only:
                    continue
                total += order.remaining if order.remaining is not None else self._bought(request)
        return total

    def _bought(self, request: OrderRequest) -> Decimal:
        instrument = self.instrument(request.instrument_id)
        price = request.price or request.stop_price or self.price(request.instrument_id)
        if request.value is None or instrument is None or price is None:
            return ZERO
        unit = abs(instrument.notional(Decimal(1), price))
        return MONEY_CONTEXT.divide(request.value, unit)
