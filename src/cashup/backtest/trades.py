"""Round trips: the fills of a run put together into trades, from flat to flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cashup.backtest.outcome import RunOutcome
from cashup.kernel import types as kt

NS_PER_MS: Final = 1_000_000

EXIT_REASONS: Final = {
    kt.MARKET: "signal",
    kt.LIMIT: "target",
    kt.STOP: "stop",
    kt.STOP_LIMIT: "stop",
    kt.TRAILING_STOP: "trailing stop",
    kt.TAKE_PROFIT: "target",
    kt.TAKE_PROFIT_LIMIT: "target",
}

SCHEMA: Final = {
    "instrument": pl.String(),
    "side": pl.String(),
    "entry_ts": pl.Int64(),
    "exit_ts": pl.Int64(),
    "entry_price": pl.Float64(),
    "exit_price": pl.Float64(),
    "quantity": pl.Float64(),
    "gross_pnl": pl.Float64(),
    "fees": pl.Float64(),
    "funding": pl.Float64(),
    "pnl": pl.Float64(),
    "return": pl.Float64(),
    "bars": pl.Int64(),
    "duration_ms": pl.Int64(),
    "mae": pl.Float64(),
    "mfe": pl.Float64(),
    "entry_tag": pl.Int64(),
    "exit_tag": pl.Int64(),
    "exit_reason": pl.String(),
    "is_open": pl.Boolean(),
}
"""Columns of the trades frame. Times are ms UTC; `return` is pnl over the money at entry; mae and mfe are the worst
and best unrealised return while the trade was on, as fractions of the entry price (mae is not above 0)."""


@dataclass(slots=True)
class _Leg:
    """A trade being put together."""

    instrument: int
    side: int
    entry_ts: int
    entry_i: int
    entry_d: int
    entry_tag: int
    bought: float = 0.0
    cost: float = 0.0
    sold: float = 0.0
    proceeds: float = 0.0
    gross: float = 0.0
    fees: float = 0.0

    def add(self, quantity: float, price: float, fee: float) -> None:
        self.bought += quantity
        self.cost += quantity * price
        self.fees += fee

    def take(self, quantity: float, price: float, fee: float, realized: float) -> None:
        self.sold += quantity
        self.proceeds += quantity * price
        self.fees += fee
        self.gross += realized


def trades_of(outcome: RunOutcome) -> pl.DataFrame:
    """Return the trades of a run in order of their exit, those still open last.

    A trade goes from flat to flat; a fill that turns a position round ends one trade and begins the next, and its
    fee is shared by quantity. Open trades are valued at the last price and marked `is_open`.
    """
    rows: list[dict[str, object]] = []
    legs: dict[int, _Leg] = {}
    order_types = outcome.orders["type"].tolist() if len(outcome.orders) else []
    for fill in outcome.fills.tolist():
        _take_fill(outcome, dict(zip(_FILL_NAMES, fill, strict=True)), legs, rows, order_types)
    rows += [_open_row(outcome, leg) for leg in legs.values()]
    frame = pl.DataFrame(rows, schema=SCHEMA) if rows else pl.DataFrame(schema=SCHEMA)
    return _with_excursions(outcome, _with_funding(outcome, frame))


_FILL_NAMES: Final = tuple(kt.FILL.names or ())


def _take_fill(
    outcome: RunOutcome,
    fill: dict[str, float],
    legs: dict[int, _Leg],
    rows: list[dict[str, object]],
    order_types: list[int],
) -> None:
    k, side, quantity = int(fill["instrument"]), int(fill["side"]), fill["quantity"]
    leg = legs.get(k)
    if leg is None or leg.side == side:
        if leg is None:
            leg = legs[k] = _new_leg(k, side, fill)
        leg.add(quantity, fill["price"], fill["fee"])
        return
    after = fill["position"]
    turned = after * side > 0.0
    closing = min(quantity, quantity - abs(after)) if turned else quantity
    share = closing / quantity if quantity else 1.0
    leg.take(closing, fill["price"], fill["fee"] * share, fill["realized"])
    if after == 0.0 or turned:
        rows.append(_closed_row(outcome, leg, fill, order_types))
        del legs[k]
    if turned:
        leg = legs[k] = _new_leg(k, side, fill)
        leg.add(abs(after), fill["price"], fill["fee"] * (1.0 - share))


def _new_leg(k: int, side: int, fill: dict[str, float]) -> _Leg:
    return _Leg(
        instrument=k,
        side=side,
        entry_ts=int(fill["ts"]),
        entry_i=int(fill["i"]),
        entry_d=int(fill["d"]),
        entry_tag=int(fill["tag"]),
    )


def _closed_row(
    outcome: RunOutcome, leg: _Leg, fill: dict[str, float], order_types: list[int]
) -> dict[str, object]:
    order = int(fill["order"])
    if int(fill["kind"]) == kt.FILL_LIQUIDATION:
        reason = "liquidation"
    else:
        reason = EXIT_REASONS.get(order_types[order - 1], "signal") if order > 0 else "signal"
    return _row(
        outcome,
        leg,
        exit_ts=int(fill["ts"]),
        exit_price=leg.proceeds / leg.sold,
        gross=leg.gross,
        bars=int(fill["d"]) - leg.entry_d,
        exit_tag=int(fill["tag"]),
        reason=reason,
        is_open=False,
    )


def _open_row(outcome: RunOutcome, leg: _Leg) -> dict[str, object]:
    closes = outcome.market.instruments[leg.instrument].matched.close
    last = float(closes[-1])
    left = leg.bought - leg.sold
    entry = leg.cost / leg.bought
    spec = outcome.market.instruments[leg.instrument].spec
    if spec.kind == kt.INVERSE:
        unrealised = leg.side * left * spec.contract_size * (1.0 / entry - 1.0 / last)
    else:
        unrealised = leg.side * left * spec.contract_size * (last - entry)
    exit_price = (leg.proceeds + left * last) / leg.bought
    return _row(
        outcome,
        leg,
        exit_ts=int(outcome.close_ts[-1]),
        exit_price=exit_price,
        gross=leg.gross + unrealised,
        bars=len(outcome.close_ts) - leg.entry_d,
        exit_tag=0,
        reason="end of data",
        is_open=True,
    )


def _row(
    outcome: RunOutcome,
    leg: _Leg,
    *,
    exit_ts: int,
    exit_price: float,
    gross: float,
    bars: int,
    exit_tag: int,
    reason: str,
    is_open: bool,
) -> dict[str, object]:
    entry_price = leg.cost / leg.bought
    spec = outcome.market.instruments[leg.instrument].spec
    money = leg.bought * spec.contract_size
    money = money / entry_price if spec.kind == kt.INVERSE else money * entry_price
    pnl = gross - leg.fees
    return {
        "instrument": outcome.market.instruments[leg.instrument].name,
        "side": "long" if leg.side > 0 else "short",
        "entry_ts": leg.entry_ts // NS_PER_MS,
        "exit_ts": exit_ts // NS_PER_MS,
        "entry_price": entry_price,
        "exit_price": exit_price,
        "quantity": leg.bought,
        "gross_pnl": gross,
        "fees": leg.fees,
        "funding": 0.0,
        "pnl": pnl,
        "return": pnl / money,
        "bars": max(0, bars),
        "duration_ms": (exit_ts - leg.entry_ts) // NS_PER_MS,
        "mae": 0.0,
        "mfe": 0.0,
        "entry_tag": leg.entry_tag,
        "exit_tag": exit_tag,
        "exit_reason": reason,
        "is_open": is_open,
    }


def _with_funding(outcome: RunOutcome, frame: pl.DataFrame) -> pl.DataFrame:
    """Give every funding payment to the trade that was on when it was settled."""
    if not len(outcome.payments) or not len(frame):
        return frame
    funding = np.zeros(len(frame))
    names = [item.name for item in outcome.market.instruments]
    for k in range(len(names)):
        mine = np.flatnonzero((frame["instrument"] == names[k]).to_numpy())
        paid = outcome.payments[outcome.payments["instrument"] == k]
        if not len(mine) or not len(paid):
            continue
        by_entry = mine[np.argsort(frame["entry_ts"].to_numpy()[mine], kind="stable")]
        starts = frame["entry_ts"].to_numpy()[by_entry]
        at = np.searchsorted(starts, paid["ts"] // NS_PER_MS, side="right") - 1
        np.add.at(funding, by_entry[np.maximum(at, 0)], paid["amount"])
    money = frame["pnl"] / frame["return"].replace(0.0, None)
    pnl = frame["pnl"] + pl.Series(funding)
    return frame.with_columns(
        pl.Series("funding", funding),
        pnl.alias("pnl"),
        (pnl / money).fill_null(frame["return"]).alias("return"),
    )


def _with_excursions(outcome: RunOutcome, frame: pl.DataFrame) -> pl.DataFrame:
    """Add the worst and best unrealised return of every trade, from the bars it lived through."""
    if not len(frame):
        return frame
    mae = np.zeros(len(frame))
    mfe = np.zeros(len(frame))
    for k, item in enumerate(outcome.market.instruments):
        mine = np.flatnonzero((frame["instrument"] == outcome.market.instruments[k].name).to_numpy())
        table = item.matched
        opens = table.open_ts // NS_PER_MS
        first = np.searchsorted(opens, frame["entry_ts"].to_numpy()[mine], side="right") - 1
        last = np.searchsorted(opens, frame["exit_ts"].to_numpy()[mine], side="left")
        last = np.where(frame["is_open"].to_numpy()[mine], len(opens), last)
        entry = frame["entry_price"].to_numpy()[mine]
        exit_price = frame["exit_price"].to_numpy()[mine]
        long = (frame["side"] == "long").to_numpy()[mine]
        low, high = _ranges(table.low, table.high, np.maximum(first, 0), np.maximum(last, first + 1))
        low = np.minimum(low, exit_price)
        high = np.maximum(high, exit_price)
        mae[mine] = np.minimum(0.0, np.where(long, low / entry - 1.0, 1.0 - high / entry))
        mfe[mine] = np.maximum(0.0, np.where(long, high / entry - 1.0, 1.0 - low / entry))
    return frame.with_columns(pl.Series("mae", mae), pl.Series("mfe", mfe))


def _ranges(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lowest low and highest high of each range [first, last)."""
    stops = np.minimum(last, len(low))
    # reduceat takes pairs of bounds; the odd results lie between ranges and are dropped.
    bounds = np.column_stack([first, stops]).ravel()
    padded_low = np.append(low, np.inf)
    padded_high = np.append(high, -np.inf)
    return np.minimum.reduceat(padded_low, bounds)[::2], np.maximum.reduceat(padded_high, bounds)[::2]
