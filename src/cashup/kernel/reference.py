"""The slow twin of the matching core: the rules of docs/concepts/matching.md in exact decimals, for reading.

Plain Python over its own objects; it shares no code with the compiled core, and tests demand the same fills,
the same cash and the same equity of both, on random orders, bars, parameters, instruments and margin modes.
It also serves where compiled code cannot be stepped through.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from cashup.kernel.reference_account import ZERO
from cashup.kernel.reference_book import ROUNDING_ERROR, ReferenceBar, ReferenceBook
from cashup.kernel.reference_orders import AT_VENUE, STOPS, ReferenceOrder


class Reference(ReferenceBook):
    """One run, bar by bar."""

    def run(self, decide: Callable[[Reference, int], None]) -> None:
        """Match every bar; call `decide(self, i)` at each close."""
        cash = self.account.cash
        for i in range(len(self._times)):
            self.step(i)
            worth = self.account.equity()
            self.equity.append(worth)
            if worth <= ROUNDING_ERROR * cash:
                self.equity += [worth] * (len(self._times) - i - 1)
                break
            decide(self, i)
        for order in self.orders:
            if order.is_open:
                self._end(order, "cancelled", "end_of_run")

    # ---- one bar

    def step(self, i: int) -> None:
        """Match one bar."""
        self._i, self._inside = i, False
        opened, closed = self._times[i]
        for order in self.orders:
            if order.is_open and order.expire and order.expire <= opened:
                self._end(order, "expired", "gtd")
            elif order.is_open and order.cancel_at and order.cancel_at <= opened:
                self._end(order, "cancelled", "user")
        for k, position in enumerate(self.account.positions):
            self._volume_used[k] = ZERO
            self._settle(k, opened)
            bar = self._bars[k][i]
            if bar is not None:
                position.last = bar.open
                if bar.mark is None:
                    position.mark = bar.open
        self._liquidate_past(at_open=True)
        for order in list(self.orders):
            self._at_open(order, opened)
        self._inside = True
        for k in range(len(self.instruments)):
            self._settle(k, closed - 1)
            if self._bars[k][i] is not None:
                self._walk(k)
        self.now = closed
        for k, position in enumerate(self.account.positions):
            bar = self._bars[k][i]
            if bar is not None:
                position.last = bar.close
                position.mark = bar.close if bar.mark is None else bar.mark
        self._liquidate_past(at_open=False)

    def _settle(self, k: int, until: int) -> None:
        """Pay funding due up to a time."""
        position, instrument = self.account.positions[k], self.instruments[k]
        payments = self._funding[k] if self._funding else ()
        while position.next_funding < len(payments) and payments[position.next_funding][0] <= until:
            _, rate, mark = payments[position.next_funding]
            position.next_funding += 1
            if position.quantity == 0 or instrument.kind == "spot":
                continue
            price = mark if mark is not None else position.mark
            assert price is not None
            amount = (
                -(1 if position.quantity > 0 else -1) * instrument.worth(abs(position.quantity), price) * rate
            )
            self.account.cash += amount
            if instrument.margin == "isolated":
                position.margin += amount
            self.payments.append(amount)

    def _liquidate_past(self, *, at_open: bool) -> None:
        """Liquidate what its mark price has passed: at the open (a gap), or by mark prices at the close."""
        while True:
            found = []
            for k, position in enumerate(self.account.positions):
                bar, level = self._bars[k][self._i], self.account.liquidation_price(k)
                if bar is None or level is None or position.mark is None:
                    continue
                if (level - position.mark) * position.quantity >= 0 and (at_open or bar.mark is not None):
                    found.append((self.account.unrealized(k), k, bar.open if at_open else level))
            if not found:
                return
            _, k, price = min(found)
            self._liquidate(k, price)

    def _at_open(self, order: ReferenceOrder, opened: int) -> None:
        """Let one order act on the open price."""
        bar = self._bars[order.instrument][self._i]
        if bar is None or not order.is_open or order.status == "held":
            return
        arrives = order.status == "submitted"
        if arrives:
            if order.active > opened:
                return
            held = self.account.positions[order.instrument].quantity
            if order.reduce_only and held * order.side >= 0:
                self._refuse(order, "reduce_only")
                return
            order.status = "accepted"
        if order.waits_for_trigger:
            met = order.stop is not None and order.is_met(bar.open, must_cross=False)
            if order.type == "trailing":
                order.follow(bar.open, self.instruments[order.instrument].tick)
            if not met:
                return
            order.status = "triggered"
        if not order.acts_as_limit:
            self._fill(order, bar.open, taker=True)
        elif order.is_met(bar.open, must_cross=self.rules.must_cross):
            if arrives and order.post_only:
                self._refuse(order, "post_only")
                return
            self._fill(order, bar.open, taker=not order.rested)
        self._finish_immediate(order)
        if order.acts_as_limit:
            order.rested = True

    def _finish_immediate(self, order: ReferenceOrder) -> None:
        if order.is_open and order.tif in ("ioc", "fok"):
            self._end(order, "cancelled", order.tif)

    # ---- inside the bar

    def _low_first(self, k: int, bar: ReferenceBar) -> bool:
        quantity = self.account.positions[k].quantity
        if quantity:
            return quantity > 0
        sides = {
            o.side for o in self.orders if o.status in AT_VENUE and o.instrument == k and not o.reduce_only
        }
        if len(sides) == 1:
            return sides == {-1}
        return bar.open - bar.low <= bar.high - bar.open

    def _walk(self, k: int) -> None:
        """Go along the path of the bar; everything acts when its price is met."""
        bar = self._bars[k][self._i]
        assert bar is not None
        extremes = (bar.low, bar.high) if self._low_first(k, bar) else (bar.high, bar.low)
        price = bar.open
        for end in (*extremes, bar.close):
            while True:
                found = self._first_between(k, price, end)
                if found is None:
                    break
                price, order, at_once = found
                if order is None:
                    self._liquidate(k, price)
                else:
                    self._act_inside(order, price, at_once=at_once)
            self._see(k, end)
            price = end

    def _see(self, k: int, price: Decimal) -> None:
        """Let trailing stops follow, and limit orders that were not met rest."""
        for order in self.orders:
            if order.instrument == k and order.status in AT_VENUE:
                if order.type == "trailing" and order.waits_for_trigger:
                    order.follow(price, self.instruments[k].tick)
                elif order.acts_as_limit:
                    order.rested = True

    def _first_between(
        self, k: int, price: Decimal, end: Decimal
    ) -> tuple[Decimal, ReferenceOrder | None, bool] | None:
        """Return what acts first between two prices: where, which order (None: liquidation), if at once."""
        found: list[tuple[Decimal, int, int, Decimal, ReferenceOrder | None, bool]] = []
        position, bar = self.account.positions[k], self._bars[k][self._i]
        level = self.account.liquidation_price(k)
        if level is not None and bar is not None and bar.mark is None:
            if (level - price) * position.quantity >= 0:
                found.append((ZERO, 0, 0, price, None, True))
            elif (level - end) * position.quantity >= 0:
                found.append((abs(level - price), 0, 0, level, None, False))
        for order in self.orders:
            if order.instrument != k or order.status not in AT_VENUE or order.spent_bar == self._i:
                continue
            if order.type == "trailing" and order.waits_for_trigger and order.extreme is None:
                order.follow(price, self.instruments[k].tick)
            cross = self.rules.must_cross
            rank = 1 if order.type in STOPS and order.waits_for_trigger else 2
            if order.is_met(price, must_cross=cross):
                found.append((ZERO, rank, order.id, price, order, True))
            elif (
                order.level is not None
                and order.is_met(end, must_cross=cross)
                and order.looks_down == (end < price)
            ):
                found.append((abs(order.level - price), rank, order.id, order.level, order, False))
        if not found:
            return None
        _, _, _, where, first, at_once = min(found, key=lambda each: each[:3])
        return where, first, at_once

    def _act_inside(self, order: ReferenceOrder, price: Decimal, *, at_once: bool) -> None:
        reached = True
        if order.waits_for_trigger:
            order.status = "triggered"
            at_once = True
            reached = not order.acts_as_limit or order.is_met(price, must_cross=self.rules.must_cross)
        if reached:
            taker = not order.acts_as_limit or (at_once and not order.rested)
            if not self._fill(order, price, taker=taker):
                order.spent_bar = self._i
        self._finish_immediate(order)
