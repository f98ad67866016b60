"""The gate every order passes: rules in order, and the switch that stops everything."""

from __future__ import annotations

from collections.abc import Sequence

from cashup.engine.rules import RiskView, Rule, refuse
from cashup.model.errors import OrderRefused
from cashup.model.orders import OrderRequest
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
