"""Random markets and random strategies, the same for the same seed: what both paths are run on."""

from __future__ import annotations

import math
import random

import numpy as np

from cashup.backtest.market import InstrumentData, MarketData
from cashup.engine.bars import BarTable
from cashup.engine.strategy import Strategy
from cashup.kernel import types as k
from cashup.kernel.memory import InstrumentSpec, Rules, Tier

MINUTE = 60_000_000_000
START = 1_700_000_000 // 86_400 * 86_400 * 1_000_000_000
NAMES = {
    k.SPOT: ("binance:BTC/USDT", "binance:ETH/USDT", "binance:SOL/USDT"),
    k.LINEAR: ("gate:BTC/USDT:USDT", "gate:ETH/USDT:USDT", "gate:SOL/USDT:USDT"),
    k.INVERSE: ("binance:BTC/USD:BTC", "binance:BTC/EUR:BTC", "binance:BTC/JPY:BTC"),
}


class RandomTrader(Strategy):
    """Does what its seed says, and remembers enough to do it to the right orders."""

    warmup = 0

    def __init__(self, seed: int, *, instruments: int, activity: float, spot: bool) -> None:
        super().__init__()
        self.seed = seed
        self.count = instruments
        self.activity = activity
        self.spot = spot
        self.heard = []
        self.ids = []

    def on_start(self):
        self.random = random.Random(self.seed)
        if self.random.random() < 0.3:
            self.keep(self.buy(self.random.uniform(0.1, 2.0), limit=self.random.uniform(80, 120)))

    def on_bar(self):
        self.heard.append((self.index, self.now, self.equity, self.cash, self.position.size))
        if self.random.random() < self.activity:
            self.act()

    def on_fill(self, fill):
        self.heard.append(("fill", *fill))
        if self.random.random() < 0.05:
            self.act()

    def on_order(self, order):
        # What only the venue knows of an order reaches a node when it matters, not as it changes.
        self.heard.append(("order", order.id, order.status, order.reason, order.filled, order.average_price))
        if self.random.random() < 0.03:
            self.act()

    def on_funding(self, payment):
        self.heard.append(("funding", *payment))
        if self.random.random() < 0.05:
            self.close(instrument=payment.instrument)

    def keep(self, order_id):
        if order_id:
            self.ids.append(order_id)

    def act(self):
        rng = self.random
        place = rng.randrange(self.count)
        kind = rng.random()
        if kind < 0.55:
            self.enter(place)
        elif kind < 0.68:
            fraction = rng.choice([0.0, 0.3, 0.5, 0.9, 1.0, 1.5, -0.5, -1.0])
            self.keep(self.target(fraction, instrument=place, tolerance=rng.choice([0.0, 0.1])))
        elif kind < 0.74:
            self.keep(self.target_size(rng.uniform(-3, 3), instrument=place))
        elif kind < 0.80:
            self.keep(self.close(instrument=place))
        elif kind < 0.92 and self.ids:
            self.cancel(rng.choice(self.ids[-6:]))
        elif kind < 0.95:
            self.cancel_all(rng.choice([-1, place]))
        elif len(self.ids) > 1:
            self.oco(rng.choice(self.ids[-4:]), rng.choice(self.ids[-4:]))

    def enter(self, place):
        rng = self.random
        price = self.price_of(place)
        if not price > 0:
            return
        is_buy = rng.random() < (0.7 if self.spot else 0.5)
        side = 1 if is_buy else -1
        terms = {"instrument": place, "tag": rng.randrange(5)}
        size = rng.choice([None, "size", "size", "size", "value"])
        if size == "size":
            terms["size"] = rng.choice([rng.uniform(0.01, 3.0), 1.0, 0.0001, rng.uniform(5, 500)])
        elif size == "value":
            terms["value"] = rng.uniform(5, 5000)
        terms |= self.prices(price, side) | self.protection(price, side) | self.style()
        if terms.get("post_only") and "limit" not in terms:
            del terms["post_only"]
        try:
            self.keep((self.buy if is_buy else self.sell)(**terms))
        except ValueError:
            self.heard.append("contradiction")

    def prices(self, price, side):
        rng = self.random
        terms = {}
        near = price * (1 + rng.uniform(-0.006, 0.006))
        kind = rng.randrange(9)
        if kind in (1, 2):
            terms["limit"] = near
        elif kind == 3:
            terms["stop"] = price * (1 + side * rng.uniform(0, 0.006))
        elif kind == 4:
            terms |= {"stop": price * (1 + side * rng.uniform(0, 0.004)), "limit": near}
        elif kind == 5:
            terms["touch"] = price * (1 - side * rng.uniform(0, 0.006))
        elif kind == 6:
            terms |= {"touch": price * (1 - side * rng.uniform(0, 0.004)), "limit": near}
        elif kind == 7:
            terms["trail"] = rng.uniform(0.001, 0.008)
        return terms

    def protection(self, price, side):
        rng = self.random
        terms = {}
        if rng.random() < 0.35:
            terms["stop_loss"] = price * (1 - side * rng.uniform(0.001, 0.01))
        if rng.random() < 0.35:
            terms["take_profit"] = price * (1 + side * rng.uniform(0.001, 0.01))
        if rng.random() < 0.2:
            terms["trailing"] = rng.uniform(0.002, 0.01)
        return terms

    def style(self):
        rng = self.random
        terms = {}
        style = rng.random()
        if style < 0.1:
            terms["tif"] = rng.choice(["IOC", "FOK"])
        elif style < 0.2:
            terms |= {"tif": "GTD", "expires": self.now + rng.randrange(1, 30) * MINUTE}
        elif style < 0.3:
            terms["post_only"] = True
        elif style < 0.4:
            terms["reduce_only"] = True
        return terms


def walk(rng, length, *, tick, volatility):
    """Return open, high, low, close and volume of a random walk with gaps, on the tick grid."""
    steps = rng.standard_t(4, length) * volatility
    close = 100 * np.exp(np.cumsum(steps))
    opened = np.concatenate([[100.0], close[:-1]]) * np.exp(
        np.where(rng.random(length) < 0.05, rng.normal(0, 3 * volatility, length), 0.0)
    )
    spread = np.abs(rng.normal(0, volatility, (2, length)))
    high = np.maximum(opened, close) * (1 + spread[0])
    low = np.minimum(opened, close) * (1 - spread[1])
    prices = np.stack([opened, high, low, close])
    if tick:
        inverse = round(1 / tick)
        prices = np.maximum(np.round(prices * inverse), 1) / inverse
    volume = np.round(rng.exponential(20, length), 3)
    return prices[0], prices.max(0), prices.min(0), prices[3], volume


def market(seed, *, kind=k.SPOT, instruments=1, length=300, holes=0.0, detail=1, **overrides):
    """Return a random market; `holes`: share of bars missing, `detail`: match bars to a decision bar."""
    rng = np.random.default_rng(seed)
    pick = random.Random(seed)
    tick = pick.choice([0.01, 0.1, 0.05, 0.0])
    lot = pick.choice([0.001, 0.1, 1e-5]) if kind != k.INVERSE else 1.0
    volatility = overrides.pop("volatility", 0.002)
    leverage = overrides.pop("leverage", pick.choice([1.0, 3.0, 10.0, 50.0])) if kind != k.SPOT else 1.0
    spec = InstrumentSpec(
        kind=kind,
        margin_mode=k.NO_MARGIN if kind == k.SPOT else pick.choice([k.ISOLATED, k.CROSS]),
        leverage=leverage,
        tick=overrides.pop("tick", tick),
        lot=overrides.pop("lot", lot),
        min_quantity=pick.choice([0.0, lot]),
        max_quantity=pick.choice([0.0, 200.0]),
        min_notional=pick.choice([0.0, 10.0]) if kind != k.INVERSE else 0.0,
        contract_size=1.0 if kind == k.SPOT else pick.choice([1.0, 0.01, 10.0]),
        maker_fee=pick.choice([0.0002, 0.0, -0.0001]),
        taker_fee=0.0006,
        tiers=() if kind == k.SPOT else TIERS,
    )
    rules = Rules(
        slippage_model=overrides.pop("slippage_model", pick.randrange(5)),
        slippage=pick.choice([0.0, 0.0005, 0.01]),
        limit_rule=pick.choice([k.LIMIT_TOUCH, k.LIMIT_CROSS]),
        volume_limit=overrides.pop("volume_limit", pick.choice([0.0, 0.0, 0.05])),
        latency=overrides.pop("latency", pick.choice([0, 0, MINUTE // 2, 3 * MINUTE])),
    )
    items = [
        _instrument(rng, pick, NAMES[kind][place], spec, length, holes, detail, volatility)
        for place in range(instruments)
    ]
    cash = overrides.pop("cash", 10_000.0 if kind != k.INVERSE else 50.0)
    assert not overrides, overrides
    return MarketData(instruments=tuple(items), cash=cash, rules=rules)


TIERS = (
    Tier(notional_floor=0.0, max_leverage=100.0, maintenance_rate=0.004),
    Tier(notional_floor=20_000.0, max_leverage=50.0, maintenance_rate=0.01, maintenance_amount=120.0),
    Tier(notional_floor=100_000.0, max_leverage=10.0, maintenance_rate=0.05, maintenance_amount=4120.0),
)


def _instrument(rng, pick, name, spec, length, holes, detail, volatility):
    count = length * detail
    opens = START + np.arange(count) * MINUTE
    values = walk(rng, count, tick=spec.tick, volatility=volatility)
    fine = BarTable.of(name, "1m", opens, *values)
    bars = fine
    if detail > 1:
        frame = f"{detail}m"
        starts = np.arange(0, count, detail)
        bars = BarTable.of(
            name,
            frame,
            opens[starts],
            values[0][starts],
            np.maximum.reduceat(values[1], starts),
            np.minimum.reduceat(values[2], starts),
            values[3][starts + detail - 1],
            np.add.reduceat(values[4], starts),
        )
    if holes:
        kept = rng.random(len(bars)) >= holes
        kept[0] = True
        bars = _chosen(bars, kept)
        if detail == 1:
            fine = bars
    extra = {}
    if spec.kind != k.SPOT:
        times = START + np.arange(1, count // 20) * 20 * MINUTE + pick.choice([0, MINUTE // 3])
        extra = {"funding_ts": times, "funding_rate": rng.normal(0, 0.0005, len(times))}
        if pick.random() < 0.5:
            extra["funding_mark"] = np.where(rng.random(len(times)) < 0.5, 100.0, math.nan)
        if pick.random() < 0.5:
            extra["mark"] = fine.close * (1 + rng.normal(0, 0.0005, len(fine)))
    return InstrumentData(spec=spec, bars=bars, detail=fine if detail > 1 else None, **extra)


def _chosen(bars, kept):
    columns = (getattr(bars, name)[kept] for name in ("open_ts", "open", "high", "low", "close", "volume"))
    return BarTable.of(bars.instrument, bars.timeframe, *columns)
