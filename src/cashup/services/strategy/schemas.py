"""What goes in and out of strategies and backtests, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=80)]
Tag = Annotated[str, Field(min_length=1, max_length=30)]
Scalar = str | int | float | bool
#: A stored name: venue:base/quote, with :settle for perpetuals.
_DATA = r"^[a-z0-9_]{1,30}:[^\s/:\\]{1,40}/[^\s/\\]{1,40}$"


class Body(BaseModel):
    """What a request may hold: nothing but what is named."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Out(BaseModel):
    """An answer read from a row."""

    model_config = ConfigDict(from_attributes=True)


class StrategyIn(Body):
    """A new strategy: its code, or the name of a template that comes with the product."""

    name: Name
    code: str = Field("", max_length=400_000)
    template: str = Field("", max_length=80)
    description: str = Field("", max_length=2000)
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    note: str = Field("", max_length=500)


class StrategyChange(Body):
    """Changes of a strategy; what is left out stays."""

    name: Name | None = None
    description: str | None = Field(None, max_length=2000)
    tags: list[Tag] | None = Field(None, max_length=20)
    status: Literal["draft", "active", "archived"] | None = None
    config: dict[str, Any] | None = None
    current: int | None = Field(None, ge=1, le=2**31 - 1)


class StrategyOut(Out):
    """A strategy, without its code."""

    id: str
    name: str
    description: str
    status: str
    tags: list[str]
    config: dict[str, Any]
    current: int
    created_at: datetime
    updated_at: datetime
    version: int


class StrategyPage(BaseModel):
    """Strategies, and the cursor of the next page ("" when there is none)."""

    items: list[StrategyOut]
    next: str


class VersionIn(Body):
    """New code of a strategy."""

    code: str = Field(min_length=1, max_length=400_000)
    note: str = Field("", max_length=500)


class VersionOut(Out):
    """A version, without its code."""

    number: int
    digest: str
    outline: dict[str, Any]
    problem: str
    note: str
    created_at: datetime


class CodeOut(VersionOut):
    """A version with its code."""

    code: str


class StrategyDetail(StrategyOut):
    """A strategy with the version in use."""

    in_use: CodeOut


class CheckIn(Body):
    """Code to be loaded, and not kept."""

    code: str = Field(min_length=1, max_length=400_000)


class CheckOut(BaseModel):
    """What loading code said."""

    outline: dict[str, Any]
    problem: str


class DiffOut(BaseModel):
    """What changed between two versions, as a unified diff."""

    diff: str


class TemplateOut(BaseModel):
    """A strategy that comes with the product."""

    name: str
    code: str


class BacktestIn(Body):
    """What to run.

    Attributes:
        data: Name of stored data, such as ``binance:BTC/USDT``; several for several instruments.
        params: Parameters of the strategy that differ from their defaults.
    """

    strategy_id: str = Field(max_length=26)
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    data: Annotated[str, Field(pattern=_DATA)] | list[Annotated[str, Field(pattern=_DATA)]]
    timeframe: str | None = Field(None, max_length=8)
    since: str | None = Field(None, max_length=32)
    until: str | None = Field(None, max_length=32)
    params: dict[str, Scalar] = Field(default_factory=dict, max_length=100)
    cash: float = Field(100_000.0, gt=0, le=1e15)
    fee: float | tuple[float, float] = 0.001
    slippage: float | str = 0.0
    leverage: float | None = Field(None, gt=0, le=200)
    mode: Literal["auto", "compiled", "python", "event"] = "auto"


class BacktestOut(Out):
    """A backtest, without its tables."""

    id: str
    strategy_id: str
    strategy_name: str
    strategy_version: int
    request: dict[str, Any]
    status: str
    progress: float
    error: str
    run_id: str
    total_return: float | None
    sharpe: float | None
    max_drawdown: float | None
    trades: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class BacktestDetail(BacktestOut):
    """A backtest with every figure, and what its fence enforced."""

    statistics: dict[str, Any]
    isolation: dict[str, Any]


class BacktestPage(BaseModel):
    """Backtests, newest first, and the cursor of the next page ("" when there is none)."""

    items: list[BacktestOut]
    next: str


class LinkOut(BaseModel):
    """A link that works for a minute."""

    url: str
