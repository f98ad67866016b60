"""Random runs, and the two engines that play them: the compiled kernel and its slow twin."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from cashup.kernel import entry, loop
from cashup.kernel import types as kt
from cashup.kernel.memory import Columns, InstrumentSpec, Rules, RunMemory, Tier
from cashup.kernel.reference import Reference
from cashup.kernel.reference_account import ReferenceInstrument, ReferenceTier
from cashup.kernel.reference_book import ReferenceBar, ReferenceRules

MINUTE = 60
NAN = math.nan
TYPES = ("market", "limit", "stop", "stop_limit", "trailing", "take_profit", "take_profit_limit")
TIFS = ("gtc", "ioc", "fok", "gtd")
KINDS = ("spot", "linear", "inverse")
MARGINS = ("none", "isolated", "cross")
BRACKET = ("notional_floor", "max_leverage", "maintenance_rate", "maintenance_amount")
MODELS = ("none", "rate", "spread", "volume_share", "sqrt_impact")
REASONS = {
    "": kt.REASON_NONE,
    "user": kt.REASON_USER,
    "oco": kt.REASON_OCO,
    "parent": kt.REASON_PARENT,
    "position_closed": kt.REASON_POSITION_CLOSED,
    "insufficient_balance": kt.REASON_INSUFFICIENT_BALANCE,
    "min_quantity": kt.REASON_MIN_QUANTITY,
    "min_notional": kt.REASON_MIN_NOTIONAL,
    "max_quantity": kt.REASON_MAX_QUANTITY,
    "bad_quantity": kt.REASON_BAD_QUANTITY,
    "bad_price": kt.REASON_BAD_PRICE,
    "short_not_allowed": kt.REASON_SHORT_NOT_ALLOWED,
    "post_only": kt.REASON_POST_ONLY,
    "reduce_only": kt.REASON_REDUCE_ONLY,
    "ioc": kt.REASON_IOC,
    "fok": kt.REASON_FOK,
    "gtd": kt.REASON_GTD,
    "liquidation": kt.REASON_LIQUIDATION,
    "leverage": kt.REASON_LEVERAGE,
    "end_of_run": kt.REASON_END_OF_RUN,
}
STATUSES = {
    "held": kt.HELD,
    "submitted": kt.SUBMITTED,
    "accepted": kt.ACCEPTED,
    "triggered": kt.TRIGGERED,
    "partial": kt.PARTIALLY_FILLED,
    "filled": kt.FILLED,
    "cancelled": kt.CANCELLED,
    "rejected": kt.REJECTED,
    "expired": kt.EXPIRED,
}


@dataclass
class Scenario:
    """One run in plain data: everything as decimal text, so that both engines read the same numbers."""

    instruments: list[dict[str, Any]]
    bars: list[list[tuple[str, ...] | None]]  # open, high, low, close, volume per instrument and bar
    marks: list[list[str] | None]
    funding: list[list[tuple[int, str]]]
    actions: list[list[dict[str, Any]]]
    rules: dict[str, Any]
    cash: str
    n: int = field(init=False)

    def __post_init__(self) -> None:
        self.n = len(self.bars[0])


# ---- drawing


def decimals(low: int, high: int, places: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda units: str(Decimal(units).scaleb(-places)))


@st.composite
def price_walks(draw: st.DrawFn, n: int, wild: int) -> list[tuple[str, ...]]:
    price = 1000  # in ticks of 0.1
    rows: list[tuple[str, ...]] = []
    for _ in range(n):
        opened = max(50, price + draw(st.sampled_from((0, 0, 0, -wild, wild, -7, 5))))
        closed = max(50, opened + draw(st.integers(-wild, wild)))
        high = max(opened, closed) + draw(st.integers(0, wild // 2))
        low = max(20, min(opened, closed) - draw(st.integers(0, wild // 2)))
        volume = draw(st.integers(0, 60))
        rows.append((*(str(Decimal(p) / 10) for p in (opened, high, low, closed)), str(Decimal(volume) / 10)))
        price = closed
    return rows


@st.composite
def instruments(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    made: dict[str, Any] = {
        "kind": kind,
        "margin": "none",
        "leverage": "1",
        "tick": draw(st.sampled_from(("0.1", "0.1", "0"))),
        "lot": draw(st.sampled_from(("0.1", "0.001", "1", "0"))),
        "min_quantity": draw(st.sampled_from(("0", "0.2"))),
        "max_quantity": draw(st.sampled_from(("0", "0", "30"))),
        "min_notional": draw(st.sampled_from(("0", "25"))) if kind != "inverse" else "0",
        "contract_size": "1",
        "maker_fee": draw(st.sampled_from(("0.0002", "0", "-0.0001"))),
        "taker_fee": draw(st.sampled_from(("0.001", "0.0005", "0"))),
        "tiers": [],
    }
    if kind == "spot":
        return made
    made["margin"] = draw(st.sampled_from(MARGINS[1:]))
    made["leverage"] = draw(st.sampled_from(("1", "3", "7", "20")))
    made["contract_size"] = draw(st.sampled_from(("1", "0.1"))) if kind == "linear" else "100"
    scale = Decimal(1) if kind == "linear" else Decimal("0.01")
    made["tiers"] = draw(st.sampled_from(([], tiers(scale))))
    return made


def tiers(scale: Decimal) -> list[tuple[str, str, str, str]]:
    """Brackets whose maintenance margin is continuous, as venues publish them."""
    rows = [("0", "25", "0.0041"), ("500", "10", "0.0107"), ("1500", "5", "0.0253"), ("4000", "2", "0.0511")]
    made: list[tuple[str, str, str, str]] = []
    amount, before = Decimal(0), Decimal(0)
    for floor, leverage, rate in rows:
        amount += Decimal(floor) * scale * (Decimal(rate) - before)
        before = Decimal(rate)
        made.append((str(Decimal(floor) * scale), leverage, rate, str(amount)))
    return made


@st.composite
def actions(draw: st.DrawFn, count: int) -> dict[str, Any]:
    k = draw(st.integers(0, count - 1))
    do = draw(
        st.sampled_from(("place",) * 6 + ("target", "target_size", "close", "cancel", "cancel_all", "oco"))
    )
    offset = decimals(-60, 60, 1)
    action: dict[str, Any] = {"do": do, "k": k}
    if do == "target":
        action |= {"fraction": draw(decimals(-15, 15, 1)), "tolerance": draw(st.sampled_from(("0", "0.2")))}
    elif do == "target_size":
        action["quantity"] = draw(decimals(-80, 80, 1))
    elif do in ("cancel", "oco"):
        action |= {"back": draw(st.integers(0, 4)), "other": draw(st.integers(0, 4))}
    elif do == "place":
        kind = draw(st.sampled_from(("market", "market", *TYPES)))
        action |= {
            "side": draw(st.sampled_from((1, 1, -1))),
            "type": kind,
            "quantity": draw(decimals(1, 120, 1)),
            "value": draw(st.sampled_from((None, None, None, "all", "450.5"))),
            "price": draw(offset),
            "stop": draw(offset) if kind != "trailing" else draw(st.sampled_from((None, "-3.3", "3.3"))),
            "trail": draw(st.sampled_from(("0.013", "0.04"))),
            "trail_is_fraction": draw(st.booleans()),
            "tif": draw(st.sampled_from(("gtc", "gtc", "gtc", *TIFS))),
            "expire": draw(st.integers(1, 5)),
            "reduce_only": draw(st.sampled_from((False, False, False, True))),
            "post_only": kind == "limit" and draw(st.booleans()),
            "clip": draw(st.booleans()),
            "bracket": draw(
                st.none()
                | st.tuples(
                    st.none() | decimals(5, 60, 1),
                    st.none() | decimals(5, 60, 1),
                    st.none() | st.just("0.021"),
                )
            ),
        }
    return action


@st.composite
def scenarios(draw: st.DrawFn, longest: int = 14) -> Scenario:
    count = draw(st.sampled_from((1, 1, 1, 2)))
    n = draw(st.integers(3, longest))
    chosen = [draw(instruments()) for _ in range(count)]
    wild = draw(st.sampled_from((12, 40, 150)))
    bars: list[list[tuple[str, ...] | None]] = []
    for _ in range(count):
        walk: list[tuple[str, ...] | None] = list(draw(price_walks(n, wild)))
        if count > 1:
            walk = [row if i == 0 or draw(st.integers(0, 7)) else None for i, row in enumerate(walk)]
        bars.append(walk)
    marks: list[list[str] | None] = []
    funding: list[list[tuple[int, str]]] = []
    for k, spec in enumerate(chosen):
        margined = spec["kind"] != "spot"
        marked = margined and draw(st.sampled_from((False, False, True)))
        marks.append(
            [str(Decimal(row[3]) + Decimal(draw(st.integers(-9, 9))) / 7) if row else "0" for row in bars[k]]
            if marked
            else None
        )
        times = sorted(draw(st.sets(st.integers(0, n * MINUTE), max_size=4))) if margined else []
        funding.append([(ts, draw(decimals(-30, 30, 4))) for ts in times])
    rules = {
        "slippage_model": draw(st.sampled_from(("none", "none", *MODELS))),
        "slippage": draw(st.sampled_from(("0.0007", "0.03"))),
        "must_cross": draw(st.booleans()),
        "volume_limit": draw(st.sampled_from(("0", "0", "0.5"))),
        "latency": draw(st.sampled_from((0, 0, 1, MINUTE + 1))),
    }
    script = [draw(st.lists(actions(count), max_size=2)) for _ in range(n)]
    cash = draw(st.sampled_from(("1000", "200", "100000")))
    if any(spec["kind"] == "inverse" for spec in chosen):
        cash = str(Decimal(cash) / 100)
    return Scenario(chosen, bars, marks, funding, script, rules, cash)


# ---- playing


def price_near(base: Decimal, offset: str) -> Decimal:
    return base + Decimal(offset)


def play_reference(scenario: Scenario) -> Reference:
    run = Reference(
        instruments=[
            ReferenceInstrument(
                **{
                    name: value if name in ("kind", "margin") else Decimal(value)
                    for name, value in spec.items()
                    if name != "tiers"
                },
                tiers=tuple(
                    ReferenceTier(
                        **dict(
                            zip(("floor", "max_leverage", "rate", "amount"), map(Decimal, row), strict=True)
                        )
                    )
                    for row in spec["tiers"]
                ),
            )
            for spec in scenario.instruments
        ],
        bars=[
            [
                None
                if row is None
                else ReferenceBar(
                    **dict(zip(("open", "high", "low", "close", "volume"), map(Decimal, row), strict=True)),
                    mark=Decimal(marks[i]) if (marks := scenario.marks[k]) is not None else None,
                )
                for i, row in enumerate(rows)
            ]
            for k, rows in enumerate(scenario.bars)
        ],
        times=[(i * MINUTE, (i + 1) * MINUTE) for i in range(scenario.n)],
        funding=[[(ts, Decimal(rate), None) for ts, rate in rows] for rows in scenario.funding],
        cash=Decimal(scenario.cash),
        rules=ReferenceRules(
            slippage_model=scenario.rules["slippage_model"],
            slippage=Decimal(scenario.rules["slippage"]),
            must_cross=scenario.rules["must_cross"],
            volume_limit=Decimal(scenario.rules["volume_limit"]),
            latency=scenario.rules["latency"],
        ),
    )
    run.run(lambda twin, i: [_act_reference(twin, action) for action in scenario.actions[i]] and None)
    return run


def _act_reference(run: Reference, action: dict[str, Any]) -> None:
    k = action["k"]
    match action["do"]:
        case "target":
            run.target(k, Decimal(action["fraction"]), Decimal(action["tolerance"]))
        case "target_size":
            run.target_size(k, Decimal(action["quantity"]))
        case "close":
            run.close(k)
        case "cancel_all":
            for order in list(run.orders):
                if order.is_open and order.instrument == k:
                    run.cancel(order)
        case "cancel" if action["back"] < len(run.orders):
            run.cancel(run.orders[-1 - action["back"]])
        case "oco" if max(action["back"], action["other"]) < len(run.orders):
            run.oco(run.orders[-1 - action["back"]], run.orders[-1 - action["other"]])
        case "place":
            _place_reference(run, action)


def _place_reference(run: Reference, action: dict[str, Any]) -> None:
    k, value, kind = action["k"], action["value"], action["type"]
    last = run.account.positions[k].last
    assert last is not None
    order = run.place(
        instrument=k,
        side=action["side"],
        type=kind,
        quantity=Decimal(action["quantity"]),
        sized_by_value=value is not None,
        value=None if value in (None, "all") else Decimal(value),
        price=price_near(last, action["price"]) if "limit" in kind else None,
        stop=None
        if kind in ("market", "limit") or action["stop"] is None
        else price_near(last, action["stop"]),
        trail=_trail(action) if kind == "trailing" else None,
        trail_is_fraction=action["trail_is_fraction"],
        tif=action["tif"],
        expire=run.now + action["expire"] * MINUTE if action["tif"] == "gtd" else 0,
        reduce_only=action["reduce_only"],
        post_only=action["post_only"],
        clip=action["clip"],
    )
    if action["bracket"] is not None:
        stop, target, trail = action["bracket"]
        run.bracket(
            order,
            None if stop is None else last - order.side * Decimal(stop),
            None if target is None else last + order.side * Decimal(target),
            None if trail is None else Decimal(trail),
        )


def _trail(action: dict[str, Any]) -> Decimal:
    return Decimal(action["trail"]) * (1 if action["trail_is_fraction"] else 100)


def memory_of(scenario: Scenario, **changes: Any) -> RunMemory:
    specs, columns = [], []
    for k, spec in enumerate(scenario.instruments):
        numbers = {name: float(v) for name, v in spec.items() if name not in ("kind", "margin", "tiers")}
        specs.append(
            InstrumentSpec(
                kind=KINDS.index(spec["kind"]),
                margin_mode=MARGINS.index(spec["margin"]),
                tiers=tuple(
                    Tier(**dict(zip(BRACKET, map(float, row), strict=True))) for row in spec["tiers"]
                ),
                **numbers,
            )
        )
        rows = [[NAN] * 5 if row is None else [float(v) for v in row] for row in scenario.bars[k]]
        opened, high, low, closed, volume = (np.array(column) for column in zip(*rows, strict=True))
        marks, funding = scenario.marks[k], scenario.funding[k]
        columns.append(
            Columns(
                open=opened,
                high=high,
                low=low,
                close=closed,
                volume=volume,
                mark=None if marks is None else [float(m) for m in marks],
                funding_ts=[ts for ts, _ in funding] if funding else None,
                funding_rate=[float(rate) for _, rate in funding] if funding else None,
            )
        )
    times = np.arange(scenario.n) * MINUTE
    return RunMemory(
        instruments=specs,
        columns=columns,
        open_ts=times,
        close_ts=times + MINUTE,
        cash=float(scenario.cash),
        rules=Rules(
            slippage_model=MODELS.index(scenario.rules["slippage_model"]),
            slippage=float(scenario.rules["slippage"]),
            limit_rule=kt.LIMIT_CROSS if scenario.rules["must_cross"] else kt.LIMIT_TOUCH,
            volume_limit=float(scenario.rules["volume_limit"]),
            latency=scenario.rules["latency"],
        ),
        **changes,
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


def play_kernel(scenario: Scenario, **changes: Any) -> RunMemory:
    memory = memory_of(scenario, **changes)
    failures: list[BaseException] = []

    @CALLBACK
    def decide(_strategy: int, event: int, argument: int) -> int:
        try:
            if event == kt.ON_BAR:
                for action in scenario.actions[argument]:
                    _act_kernel(memory, action)
        except BaseException as e:
            failures.append(e)
            return 1
        return 0

    pointer = ctypes.cast(decide, ctypes.c_void_p).value
    while loop.run(memory.address, pointer) == kt.RUN_GROW:
        memory.grow()
    if failures:
        raise failures[0]
    return memory


def _act_kernel(memory: RunMemory, action: dict[str, Any]) -> None:
    run, k = memory.address, action["k"]
    count = int(memory.run["n_orders"])
    match action["do"]:
        case "target":
            entry.target(run, k, float(action["fraction"]), float(action["tolerance"]))
        case "target_size":
            entry.target_size(run, k, float(action["quantity"]))
        case "close":
            entry.close_position(run, k)
        case "cancel_all":
            entry.cancel_all(run, k)
        case "cancel":
            entry.cancel(run, count - action["back"])
        case "oco":
            entry.oco(run, count - action["back"], count - action["other"])
        case "place":
            _place_kernel(memory, action)


def _place_kernel(memory: RunMemory, action: dict[str, Any]) -> None:
    run, k, kind, value = memory.address, action["k"], action["type"], action["value"]
    last = Decimal(repr(float(memory.positions[k]["last_price"])))
    flags = (
        kt.REDUCE_ONLY * action["reduce_only"]
        + kt.POST_ONLY * action["post_only"]
        + kt.CLIP * action["clip"]
        + kt.VALUE_SIZED * (value is not None)
        + kt.TRAIL_FRACTION * action["trail_is_fraction"]
    )
    stop = (
        NAN
        if kind in ("market", "limit") or action["stop"] is None
        else float(price_near(last, action["stop"]))
    )
    order = entry.place(
        run,
        k,
        action["side"],
        TYPES.index(kind),
        TIFS.index(action["tif"]),
        flags,
        float(action["quantity"]),
        math.inf if value in (None, "all") else float(value),
        float(price_near(last, action["price"])) if "limit" in kind else NAN,
        stop,
        float(_trail(action)),
        int(memory.run["now"]) + action["expire"] * MINUTE,
        0,
        0,
        7,
    )
    if action["bracket"] is not None:
        stop_loss, target, trail = action["bracket"]
        side = action["side"]
        entry.bracket(
            run,
            order,
            NAN if stop_loss is None else float(last - side * Decimal(stop_loss)),
            NAN if target is None else float(last + side * Decimal(target)),
            NAN if trail is None else float(trail),
        )
