"""What a user may say about a backtest, checked and turned into the kernel's rules and constants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal

from cashup.kernel import types as kt
from cashup.kernel.memory import InstrumentSpec, Rules, Tier
from cashup.model.errors import InputError, UnknownNameError, explain

MarginMode = Literal["isolated", "cross"]
Mode = Literal["auto", "compiled", "python", "event"]

MODES: Final = ("auto", "compiled", "python", "event")
LIMIT_FILLS: Final = {"touch": kt.LIMIT_TOUCH, "cross": kt.LIMIT_CROSS}
SLIPPAGE_MODELS: Final = {
    "rate": kt.SLIP_RATE,
    "spread": kt.SLIP_SPREAD,
    "volume": kt.SLIP_VOLUME_SHARE,
    "impact": kt.SLIP_SQRT_IMPACT,
}
NS_PER_MS: Final = 1_000_000
DEFAULT_TIER: Final = Tier(notional_floor=0.0, max_leverage=125.0, maintenance_rate=0.005)
"""Maintenance of a perpetual whose tiers are not given: half a percent, as large venues ask of large coins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything besides strategy and data that decides a backtest's result.

    Attributes:
        cash: Money at the start, in the settlement currency.
        fee: Fraction of the value traded: one number, or (maker, taker).
        slippage: Fraction of the price a taker loses; or a model and its coefficient as text: "rate:0.0005",
            "spread:0.5" (price units), "volume:0.1", "impact:0.5".
        leverage: Of perpetuals, 1 or more.
        margin_mode: "isolated" or "cross"; None takes cross for perpetuals. Given for a spot name, it makes the
            instrument a linear perpetual.
        instrument: Constants that replace the defaults: tick, lot, min_quantity, max_quantity, min_notional,
            contract_size, max_leverage, tiers.
        latency_ms: Time between a decision and its arrival at the venue.
        volume_limit: Largest share of a bar's volume our fills may take; 0 = no limit.
        limit_fill: "touch": a resting limit fills when the price reaches it; "cross": when it trades through.
        seed: For strategies that draw random numbers.
    """

    cash: float = 100_000.0
    fee: float | tuple[float, float] = 0.001
    slippage: float | str = 0.0
    leverage: float = 1.0
    margin_mode: MarginMode | None = None
    instrument: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: float = 0.0
    volume_limit: float = 0.0
    limit_fill: str = "touch"
    seed: int = 0

    def __post_init__(self) -> None:
        _number("cash", self.cash, above=0.0)
        for value in self.fees:
            _number("fee", value, low=-0.01, high=0.1, hint="0.001 is 0.1 %")
        _number("leverage", self.leverage, low=1.0, high=1000.0)
        _number("latency_ms", self.latency_ms, low=0.0)
        _number("volume_limit", self.volume_limit, low=0.0, high=1.0)
        if self.limit_fill not in LIMIT_FILLS:
            raise UnknownNameError("limit fill", self.limit_fill, tuple(LIMIT_FILLS), field="limit_fill")
        if self.margin_mode not in (None, "isolated", "cross"):
            raise UnknownNameError(
                "margin mode", str(self.margin_mode), ("isolated", "cross"), field="margin_mode"
            )
        known = {item.name for item in fields(InstrumentSpec)}
        for name in self.instrument:
            if name not in known:
                raise UnknownNameError("constant of an instrument", name, sorted(known), field="instrument")
        self.slippage_model()

    @property
    def fees(self) -> tuple[float, float]:
        """Maker and taker fee."""
        return self.fee if isinstance(self.fee, tuple) else (self.fee, self.fee)

    def slippage_model(self) -> tuple[int, float]:
        """Return the kernel's slippage model and its coefficient."""
        if isinstance(self.slippage, str):
            name, _, number = self.slippage.partition(":")
            if name not in SLIPPAGE_MODELS:
                raise UnknownNameError("slippage model", name, tuple(SLIPPAGE_MODELS), field="slippage")
            try:
                coefficient = float(number)
            except ValueError:
                raise InputError(
                    explain(
                        f"slippage {self.slippage!r} has no coefficient",
                        expected=f"for example {name}:0.0005",
                    ),
                    field="slippage",
                ) from None
            _number("slippage", coefficient, low=0.0)
            return SLIPPAGE_MODELS[name], coefficient
        _number("slippage", self.slippage, low=0.0, high=0.2, hint="0.0005 is 5 basis points")
        return (kt.SLIP_RATE, float(self.slippage)) if self.slippage > 0 else (kt.SLIP_NONE, 0.0)

    def rules(self) -> Rules:
        """Return the rules by which orders meet bars."""
        model, coefficient = self.slippage_model()
        return Rules(
            slippage_model=model,
            slippage=coefficient,
            limit_rule=LIMIT_FILLS[self.limit_fill],
            volume_limit=float(self.volume_limit),
            latency=round(self.latency_ms * NS_PER_MS),
        )

    def spec(self, name: str) -> InstrumentSpec:
        """Return the constants of an instrument, its kind taken from its unified name.

        "BTC/USDT" is spot, "BTC/USDT:USDT" a linear perpetual, "BTC/USD:BTC" an inverse one.

        Raises:
            InputError: constants that no instrument can have together.
        """
        kind = kind_of(name)
        if kind == kt.SPOT and (self.margin_mode is not None or self.leverage > 1.0):
            kind = kt.LINEAR
        maker, taker = self.fees
        values: dict[str, Any] = {"kind": kind, "maker_fee": maker, "taker_fee": taker}
        if kind != kt.SPOT:
            values["margin_mode"] = kt.ISOLATED if self.margin_mode == "isolated" else kt.CROSS
            values["leverage"] = float(self.leverage)
            values["tiers"] = (DEFAULT_TIER,)
        values |= dict(self.instrument)
        try:
            return InstrumentSpec(**values)
        except ValueError as e:
            raise InputError(explain(f"{name}: {e}"), field="instrument") from e

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, for reports and fingerprints."""
        values = asdict(self)
        values["instrument"] = {name: repr(value) for name, value in self.instrument.items()}
        return values


def kind_of(name: str) -> int:
    """Return the kernel's kind of an instrument from its name, such as "gate:BTC/USDT:USDT"."""
    symbol = name.partition("/")[2]
    quote, _, settle = symbol.partition(":")
    if not settle:
        return kt.SPOT
    return kt.LINEAR if settle.partition("-")[0] == quote else kt.INVERSE


def _number(
    name: str,
    value: object,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
    hint: str = "",
) -> None:
    wanted = f"above {above:g}" if above > -math.inf else f"{low:g} to {high:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(explain(f"{name} is {value!r}", expected=f"a number, {wanted}"), field=name)
    if not (low <= value <= high and value > above and math.isfinite(value)):
        raise InputError(explain(f"{name} is {value!r}", expected=wanted, hint=hint), field=name)
