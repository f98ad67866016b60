"""The slow twin's order book keeping: order entry, and what a fill does.

`cashup.kernel.reference` says when an order acts; this says how much of it fills, at what price, and what
follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cashup.kernel.reference_account import ONE, TIE, ZERO, Account, ReferenceInstrument
from cashup.kernel.reference_orders import (
    AT_VENUE,
    LIMITED,
    NEARLY,
    STOPS,
    ReferenceOrder,
    ceil_to,
    floor_to,
    judge,
    nearest_to,
)

#: Of money beside money, or of a quantity beside a quantity, this fraction is rounding error.
ROUNDING_ERROR = Decimal("1e-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceBar:
    """One bar of one instrument; `volume` None = unknown, `mark` None = the close itself."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None
    mark: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRules:
    """How orders meet bars; `slippage_model` is "none", "rate", "spread", "volume_share" or "sqrt_impact"."""

    slippage_model: str = "none"
    slippage: Decimal = ZERO
    must_cross: bool = False
    volume_limit: Decimal = ZERO
    latency: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFill:
    """One fill; `order` is 0 for a liquidation."""

    order: int
    instrument: int
    side: int
    ts: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    maker: bool


class ReferenceBook:
    """Orders, account and fills of one run.

    Args:
        instruments: constants of each instrument.
        bars: for each instrument its bar in each match bar, None where it has none.
        funding: for each instrument its settlements (time, rate, mark price or None), by time.
        times: open and close time of each match bar.
        cash: money at the start.
        rules: how orders meet bars.
    """

    def __init__(
        self,
        *,
        instruments: Sequence[ReferenceInstrument],
        bars: Sequence[Sequence[ReferenceBar | None]],
        times: Sequence[tuple[int, int]],
        cash: Decimal,
        funding: Sequence[Sequence[tuple[int, Decimal, Decimal | None]]] = (),
        rules: ReferenceRules | None = None,
    ) -> None:
        self.instruments = tuple(instruments)
        self.account = Account(self.instruments, cash)
        self.rules = rules or ReferenceRules()
        self.orders: list[ReferenceOrder] = []
        self.fills: list[ReferenceFill] = []
        self.payments: list[Decimal] = []
        self.equity: list[Decimal] = []
        self.liquidations = 0
        self.ambiguous = 0
        self.now = times[0][0] if times else 0
        self._bars, self._times, self._funding = bars, times, funding
        self._groups = 0
        self._i = -1
        self._inside = False
        self._volume_used = [ZERO] * len(instruments)
        self._counted = [-1] * len(instruments)

    # ---- order entry

    def place(self, **fields: Any) -> ReferenceOrder:
        """Enter an order (fields of ReferenceOrder); a bad one is on record as rejected."""
        order = ReferenceOrder(id=len(self.orders) + 1, **fields)
        self.orders.append(order)
        order.active = self.now + self.rules.latency
        k = order.instrument
        order.reason = judge(order, self.instruments[k], self.account.positions[k].last, self.now)
        order.status = "rejected" if order.reason else "held" if order.parent else "submitted"
        return order

    def bracket(
        self, parent: ReferenceOrder, stop: Decimal | None, target: Decimal | None, trail: Decimal | None
    ) -> None:
        """Add protective orders that wait for an entry to fill."""
        if not parent.is_open:
            return
        self._groups += 1
        shared = {
            "instrument": parent.instrument,
            "side": -parent.side,
            "parent": parent.id,
            "group": self._groups,
            "reduce_only": True,
        }
        if stop is not None:
            self.place(type="stop", stop=stop, **shared)
        if target is not None:
            self.place(type="limit", price=target, **shared)
        if trail is not None:
            self.place(type="trailing", trail=trail, trail_is_fraction=True, **shared)

    def oco(self, first: ReferenceOrder, second: ReferenceOrder) -> None:
        """Join two orders so that a fill of one cancels the other."""
        if not first.group and not second.group:
            self._groups += 1
            first.group = self._groups
        first.group = first.group or second.group
        second.group = first.group

    def cancel(self, order: ReferenceOrder) -> None:
        """Cancel an order: at once without latency, else when the wish arrives."""
        if not order.is_open:
            return
        if self.rules.latency == 0 or order.status == "held":
            self._end(order, "cancelled", "user")
        elif not order.cancel_at:
            order.cancel_at = self.now + self.rules.latency

    def close(self, k: int) -> None:
        """Close a position at the market, unless an order doing that still works."""
        quantity = self.account.positions[k].quantity
        working = [o for o in self.orders if o.is_open and o.close and o.instrument == k and not o.cancel_at]
        if quantity and not working:
            self.place(
                instrument=k, side=-1 if quantity > 0 else 1, type="market", reduce_only=True, close=True
            )

    def target(self, k: int, fraction: Decimal, tolerance: Decimal = ZERO) -> None:
        """Bring a position to a fraction of equity, sized at the last price."""
        last = self.account.positions[k].last
        if last is not None:
            worth_of_one = self.instruments[k].worth(ONE, last)
            self.target_size(k, fraction * self.account.equity() / worth_of_one, tolerance)

    def target_size(self, k: int, wanted: Decimal, tolerance: Decimal = ZERO) -> None:
        """Bring a position to a signed quantity; market orders still working are replaced."""
        instrument, position = self.instruments[k], self.account.positions[k]
        for order in self.orders:
            if order.instrument == k and order.type == "market" and order.is_open and not order.parent:
                self.cancel(order)
        if instrument.kind == "spot" and wanted < 0:
            refused = self.place(instrument=k, side=-1, type="market", quantity=-wanted, reduce_only=True)
            if refused.is_open:
                self._end(refused, "rejected", "short_not_allowed")
            return
        wanted = floor_to(abs(wanted), instrument.lot) * (1 if wanted > 0 else -1)
        held = position.quantity
        change = wanted - held
        if wanted == 0:
            self.close(k)
            return
        if abs(change) <= NEARLY * max(abs(wanted), abs(held)) or abs(change) < tolerance * abs(wanted):
            return
        size = nearest_to(abs(change), instrument.lot)
        reduces = held * wanted > 0 and abs(wanted) < abs(held)
        assert position.last is not None
        too_small = not reduces and instrument.worth(size, position.last) < instrument.min_notional
        if size == 0 or size < instrument.min_quantity or too_small:
            return
        self.place(
            instrument=k,
            side=1 if change > 0 else -1,
            type="market",
            quantity=size,
            clip=True,
            reduce_only=reduces,
        )

    # ---- fills

    @property
    def _ts(self) -> int:
        return self._times[self._i][1 if self._inside else 0]

    def _room(self, k: int) -> Decimal | None:
        bar = self._bars[k][self._i]
        assert bar is not None
        if self.rules.volume_limit == 0 or bar.volume is None:
            return None
        room = self.rules.volume_limit * bar.volume - self._volume_used[k]
        return ZERO if room <= ROUNDING_ERROR * bar.volume else floor_to(room, self.instruments[k].lot)

    def _slipped(self, order: ReferenceOrder, price: Decimal, quantity: Decimal | None) -> Decimal:
        """Return the price a taker gets."""
        bar = self._bars[order.instrument][self._i]
        assert bar is not None
        model, coefficient = self.rules.slippage_model, self.rules.slippage
        share = quantity / bar.volume if quantity is not None and bar.volume else ZERO
        moved = {
            "none": ZERO,
            "rate": coefficient * price,
            "spread": coefficient,
            "volume_share": coefficient * share * share * price,
            "sqrt_impact": coefficient * (bar.high - bar.low) / bar.open * share.sqrt() * price,
        }[model]
        if model == "none":
            paid = price
        else:
            worse = max(ZERO, price + order.side * moved)
            paid = (ceil_to if order.side > 0 else floor_to)(worse, self.instruments[order.instrument].tick)
            paid = paid if paid > 0 else price
        if order.type in LIMITED and order.price is not None and (paid - order.price) * order.side > 0:
            return order.price
        return paid

    def _fill(self, order: ReferenceOrder, price: Decimal, *, taker: bool) -> bool:
        """Fill an order as far as volume and account allow; refuse it where the venue would."""
        k, instrument = order.instrument, self.instruments[order.instrument]
        position, room = self.account.positions[k], self._room(k)
        fee_rate = instrument.taker_fee if taker else instrument.maker_fee
        reducible = abs(position.quantity) if position.quantity * order.side < 0 else ZERO
        sized_now = order.sized_by_value and order.filled == 0

        def by_value(at: Decimal) -> Decimal | None:
            return None if order.value is None else order.value / (instrument.worth(ONE, at) * (1 + fee_rate))

        wanted = None if order.quantity is None else order.quantity - order.filled
        if order.close:
            wanted = reducible
        elif sized_now:
            wanted = by_value(price)
        if order.reduce_only:
            wanted = reducible if wanted is None else min(wanted, reducible)
            if wanted <= 0:
                self._refuse(order, "reduce_only")
                return False
        sizes = [each for each in (wanted, room) if each is not None]
        paid = self._slipped(order, price, min(sizes) if sizes else None) if taker else price
        if sized_now and not order.reduce_only:
            wanted = by_value(paid)
        if not order.reduce_only:
            wanted, clipped = self._carry(order, wanted, paid, fee_rate)
            if wanted is None:
                return False
            clipped = clipped or sized_now
        else:
            assert wanted is not None
            clipped = sized_now
        wanted = floor_to(wanted, instrument.lot)
        if clipped and self._too_small(order, wanted, paid):
            return False
        if clipped or order.close or order.reduce_only:
            order.quantity = order.filled + wanted
        if room is not None and wanted <= room * (1 + ROUNDING_ERROR):
            room = wanted
        if order.tif == "fok" and room is not None and room < wanted:
            self._end(order, "cancelled", "fok")
            return False
        quantity = wanted if room is None else min(wanted, room)
        if quantity < wanted:
            order.spent_bar = self._i
        if quantity <= 0:
            return False
        fee = instrument.worth(quantity, paid) * fee_rate
        self._volume_used[k] += quantity
        self._book(k, order.side, quantity, paid, fee, order.id, maker=not taker)
        order.filled += quantity
        if quantity == wanted:
            self._end(order, "filled", "")
        else:
            order.status = "partial"
        self._after_fill(order)
        return True

    def _carry(
        self, order: ReferenceOrder, wanted: Decimal | None, paid: Decimal, fee_rate: Decimal
    ) -> tuple[Decimal | None, bool]:
        """Return what the account can carry of a wanted quantity (None: refused), and if that was less."""
        k, instrument = order.instrument, self.instruments[order.instrument]
        position = self.account.positions[k]
        may_shrink = order.clip or (order.sized_by_value and order.filled == 0 and order.value is None)
        short_sale = instrument.kind == "spot" and order.side < 0
        clipped = False
        limits = [
            (
                self.account.affordable(k, order.side, paid, fee_rate),
                "short_not_allowed" if short_sale else "insufficient_balance",
            )
        ]
        ceiling = instrument.most_notional()
        if ceiling is not None:
            most = max(ZERO, ceiling / instrument.worth(ONE, paid) - order.side * position.quantity)
            limits.append((most, "leverage"))
        for most, reason in limits:
            if wanted is None or wanted > most * (1 + ROUNDING_ERROR):
                if not may_shrink or most <= 0:
                    self._refuse(order, reason)
                    return None, clipped
                wanted, clipped = most, True
        return wanted, clipped

    def _too_small(self, order: ReferenceOrder, wanted: Decimal, paid: Decimal) -> bool:
        instrument = self.instruments[order.instrument]
        if wanted <= 0 or wanted < instrument.min_quantity:
            self._refuse(order, "min_quantity")
        elif ZERO < instrument.max_quantity < wanted:
            self._refuse(order, "max_quantity")
        elif instrument.worth(wanted, paid) < instrument.min_notional * (1 - ROUNDING_ERROR):
            self._refuse(order, "min_notional")
        return not order.is_open

    def _after_fill(self, order: ReferenceOrder) -> None:
        """OCO partners end, bracket children start, reduce-only orders with nothing to reduce end."""
        k = order.instrument
        position = self.account.positions[k]
        ends_partners = order.group and (order.status == "filled" or not order.reduce_only)
        for other in self.orders:
            if other is order or not other.is_open:
                continue
            if other.parent == order.id and order.side * position.quantity > 0:
                other.quantity = order.filled
                if other.status == "held":
                    other.status = "accepted"
            elif other.parent == order.id and other.status == "held":
                self._end(other, "cancelled", "position_closed")
            elif ends_partners and other.group == order.group:
                self._count_ambiguous(order, other)
                self._end(other, "cancelled", "oco")
            elif (
                other.instrument == k
                and other.reduce_only
                and other.status in AT_VENUE
                and other.side * position.quantity >= 0
            ):
                self._end(other, "cancelled", "position_closed")

    def _count_ambiguous(self, order: ReferenceOrder, other: ReferenceOrder) -> None:
        k, bar = order.instrument, self._bars[order.instrument][self._i]
        level = other.price if other.type == "limit" else other.stop
        if (
            not self._inside
            or other.instrument != k
            or order.type == "market"
            or level is None
            or bar is None
        ):
            return
        opposite = (order.type in STOPS) != (other.type in STOPS)
        if opposite and bar.low <= level <= bar.high and self._counted[k] != self._i:
            self._counted[k] = self._i
            self.ambiguous += 1

    def _liquidate(self, k: int, price: Decimal) -> None:
        """Close a position for the venue; the account never answers with more than backs the position."""
        instrument, position = self.instruments[k], self.account.positions[k]
        for order in self.orders:
            if order.is_open and order.instrument == k:
                self._end(order, "cancelled", "liquidation")
        wallet = self.account.wallet_of(k)
        left = wallet + instrument.profit(position.quantity, position.entry, price)
        fee = instrument.maintenance(position.quantity, price)
        if left - fee <= 10 * TIE * instrument.worth(abs(position.quantity), price):
            fee = left
        if left < 0:
            fee = ZERO
            size = position.quantity * instrument.contract_size
            if instrument.kind == "inverse":
                price = 1 / (1 / position.entry + wallet / size)
            else:
                price = position.entry - wallet / size
        side = -1 if position.quantity > 0 else 1
        self._book(k, side, abs(position.quantity), price, fee, 0, maker=False)
        self.liquidations += 1

    def _book(
        self, k: int, side: int, quantity: Decimal, price: Decimal, fee: Decimal, order: int, *, maker: bool
    ) -> None:
        self.account.apply(k, side, quantity, price, fee)
        self.fills.append(
            ReferenceFill(
                order=order,
                instrument=k,
                side=side,
                ts=self._ts,
                price=price,
                quantity=quantity,
                fee=fee,
                maker=maker,
            )
        )

    def _refuse(self, order: ReferenceOrder, reason: str) -> None:
        self._end(order, "rejected" if order.filled == 0 else "cancelled", reason)

    def _end(self, order: ReferenceOrder, status: str, reason: str) -> None:
        """Give an order its final status; children of an order that ends without a fill end with it."""
        childless = order.filled > 0 or order.status == "held"
        order.status, order.reason = status, reason
        if not childless:
            for child in self.orders:
                if child.parent == order.id and child.status == "held":
                    child.status, child.reason = "cancelled", "parent"
