"""What a strategy can do and see in its callbacks: orders, position and account."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cashup.engine.series import Series
from cashup.kernel.compiling.plans import OrderPlan, plan_order
from cashup.kernel.types import BUY, SELL

if TYPE_CHECKING:
    from cashup.engine.host import PositionView, StrategyHost
    from cashup.engine.views import OrderView


class Trading:
    """Orders and views of a strategy.

    Every order is decided at the bar's close and acts from the next bar.
    """

    _host: StrategyHost

    def buy(
        self,
        size: float | None = None,
        *,
        value: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        touch: float | None = None,
        trail: float | None = None,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        trailing: float | None = None,
        tif: str = "GTC",
        post_only: bool = False,
        reduce_only: bool = False,
        expires: int | None = None,
        instrument: int = 0,
        tag: int = 0,
    ) -> int:
        """Buy, and return the order's id.

        Args:
            size: Quantity in base units or contracts. Without size and value: all the account can pay for.
            value: Money to spend instead, fees included, in settlement currency.
            limit: Limit price: never pay more.
            stop: Trigger price above the market: becomes a market (or, with `limit`, a limit) order there.
            touch: Trigger price below the market, the take-profit of a short; with `limit` as above.
            trail: The order itself is a trailing stop at this fraction of the price (0.02 is 2 %).
            stop_loss: After the fill, sell at this price to limit the loss.
            take_profit: After the fill, sell at this price to take the profit.
            trailing: After the fill, sell when the price falls this fraction below its best.
            tif: "GTC", "IOC", "FOK" or "GTD" (until `expires`).
            post_only: Only add liquidity; rejected when it would trade at once.
            reduce_only: Only reduce a short position.
            expires: Time the order ends, ns UTC.
            instrument: Which instrument, by its place in the run.
            tag: Your own number, found again on the order and its fills.

        Raises:
            ValueError: The arguments contradict each other.
        """
        given = _given(size, value, limit, stop, touch, trail, stop_loss, take_profit, trailing, expires)
        plan = plan_order(given, tif=tif, post_only=post_only, reduce_only=reduce_only)
        prices = (size, value, limit, stop if touch is None else touch, trail)
        return self._place(BUY, plan, prices, (stop_loss, take_profit, trailing), expires, instrument, tag)

    def sell(
        self,
        size: float | None = None,
        *,
        value: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        touch: float | None = None,
        trail: float | None = None,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        trailing: float | None = None,
        tif: str = "GTC",
        post_only: bool = False,
        reduce_only: bool = False,
        expires: int | None = None,
        instrument: int = 0,
        tag: int = 0,
    ) -> int:
        """Sell, and return the order's id; arguments as in `buy`, with the directions turned round.

        Without size and value: everything held (spot), or all the account can carry (perpetuals).
        """
        given = _given(size, value, limit, stop, touch, trail, stop_loss, take_profit, trailing, expires)
        plan = plan_order(given, tif=tif, post_only=post_only, reduce_only=reduce_only)
        prices = (size, value, limit, stop if touch is None else touch, trail)
        return self._place(SELL, plan, prices, (stop_loss, take_profit, trailing), expires, instrument, tag)

    def close(self, instrument: int = 0) -> int:
        """Close the position at the market; return the order's id, 0 when there is no position."""
        return self._host.close_position(instrument)

    def target(self, fraction: float, *, instrument: int = 0, tolerance: float = 0.0) -> int:
        """Trade so that the position is worth `fraction` of equity; negative is short.

        Args:
            fraction: 1.0 is all of equity, 0.0 is flat.
            instrument: Which instrument, by its place in the run.
            tolerance: Leave the position as it is when it would change by less than this share of itself.

        Returns:
            The order's id, 0 when nothing needs doing.
        """
        return self._host.target(instrument, float(fraction), float(tolerance))

    def target_size(self, quantity: float, *, instrument: int = 0) -> int:
        """Trade so that the position has this signed quantity; return the order's id, 0 when it has."""
        return self._host.target_size(instrument, float(quantity))

    def cancel(self, order_id: int) -> bool:
        """Ask to cancel an order; return whether there was something to cancel."""
        return self._host.cancel(order_id) != 0

    def cancel_all(self, instrument: int = -1) -> int:
        """Ask to cancel every working order, or those of one instrument; return how many."""
        return self._host.cancel_all(instrument)

    def order_of(self, order_id: int) -> OrderView:
        """Return an order as it is now (see `OrderView`).

        Raises:
            IndexError: There is no such order.
        """
        return self._host.order(order_id)

    def oco(self, first: int, second: int) -> int:
        """Make two orders cancel each other when one fills; return their group."""
        return self._host.link(first, second)

    @property
    def position(self) -> PositionView:
        """The position in the first instrument."""
        return self._host.position(0)

    def position_of(self, instrument: int) -> PositionView:
        """Return the position in an instrument, by its place in the run."""
        return self._host.position(instrument)

    @property
    def equity(self) -> float:
        """Cash and positions at their last price, in settlement currency."""
        return self._host.equity()

    @property
    def cash(self) -> float:
        """Free money (spot) or wallet balance (perpetuals), in settlement currency."""
        return self._host.cash()

    @property
    def price(self) -> float:
        """Close of the current bar of the first instrument."""
        return self._host.price(0)

    def price_of(self, instrument: int) -> float:
        """Return the last known close of an instrument, by its place in the run."""
        return self._host.price(instrument)

    @property
    def index(self) -> int:
        """Number of the current bar, counted from 0."""
        return self._host.cursor[0]

    @property
    def now(self) -> int:
        """Close time of the current bar, ns UTC."""
        return self._host.now()

    def crossed_above(self, first: Series, second: Series | float) -> bool:
        """Tell whether `first` is above `second` now and was not one bar ago."""
        if first.__class__ is Series is second.__class__:
            # The way most strategies spend their time: two reads where `first[0]` would be two calls.
            x, y, i = first.known, second.known, first.cursor[0]
            return x[i] > y[i] and x[i - 1] <= y[i - 1]
        if isinstance(second, Series):
            return first[0] > second[0] and first[1] <= second[1]
        return first[0] > second and first[1] <= second

    def crossed_below(self, first: Series, second: Series | float) -> bool:
        """Tell whether `first` is below `second` now and was not one bar ago."""
        if first.__class__ is Series is second.__class__:
            x, y, i = first.known, second.known, first.cursor[0]
            return x[i] < y[i] and x[i - 1] >= y[i - 1]
        if isinstance(second, Series):
            return first[0] < second[0] and first[1] >= second[1]
        return first[0] < second and first[1] >= second

    def log(self, text: str, *values: float | int | bool) -> None:
        """Write a line of the run's log: `text` with its {} filled in, or followed by the values."""
        self._host.log(text, values)

    def _place(
        self,
        side: int,
        plan: OrderPlan,
        prices: tuple[float | None, ...],
        bracket: tuple[float | None, float | None, float | None],
        expires: int | None,
        instrument: int,
        tag: int,
    ) -> int:
        size, value, limit, stop, trail = prices
        order_id = self._host.place(
            instrument=instrument,
            side=side,
            type=plan.type,
            time_in_force=plan.time_in_force,
            flags=plan.flags,
            quantity=0.0 if size is None else float(size),
            value=math.inf if value is None else float(value),
            price=_number(limit),
            stop_price=_number(stop),
            trail=_number(trail),
            expire_ts=0 if expires is None else expires,
            tag=tag,
        )
        if plan.has_bracket:
            self._host.bracket(order_id, *(_number(price) for price in bracket))
        return order_id


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _given(*values: object) -> set[str]:
    return {name for name, value in zip(_OPTIONAL, values, strict=True) if value is not None}


_OPTIONAL = (
    "size", "value", "limit", "stop", "touch", "trail", "stop_loss", "take_profit", "trailing", "expires",
)  # fmt: skip
