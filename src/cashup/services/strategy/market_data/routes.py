"""HTTP of stored market data. Decisions are the service's."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.services.strategy.market_data.service import MarketDataService

Reader = Annotated[Caller, Depends(require(Permission.DATA_READ))]
Writer = Annotated[Caller, Depends(require(Permission.DATA_WRITE))]
Name = Annotated[str, Query(min_length=3, max_length=120)]
Frame = Annotated[str, Query(max_length=8)]
Moment = Annotated[int | None, Query(ge=0, le=253_402_300_799_000)]


class DatasetOut(BaseModel):
    """One dataset."""

    name: str
    market_type: str
    kind: str
    timeframe: str | None
    rows: int
    first: str | None
    last: str | None
    size: int
    files: int
    missing: int | None
    fingerprint: str


class BarsOut(BaseModel):
    """Bars as columns, oldest first; `ts` is the open time in ms UTC."""

    name: str
    timeframe: str
    more: bool
    ts: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]


class FundingOut(BaseModel):
    """One settlement."""

    ts: int
    funding_rate: float


def router(data: MarketDataService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/data", tags=["data"])

    @routes.get("")
    async def list_data(_caller: Reader) -> list[DatasetOut]:
        """List what is stored."""
        return [DatasetOut(**one.to_dict()) for one in await data.datasets()]

    @routes.get("/bars")
    async def show_bars(
        _caller: Reader,
        name: Name,
        timeframe: Frame,
        since: Moment = None,
        until: Moment = None,
        limit: Annotated[int, Query(ge=1, le=100_000)] = 1_000,
    ) -> BarsOut:
        """Return bars for a chart; finer bars are put together when needed."""
        return BarsOut(**await data.bars(name, timeframe, since=since, until=until, limit=limit))

    @routes.get("/funding")
    async def show_funding(
        _caller: Reader, name: Name, since: Moment = None, until: Moment = None
    ) -> list[FundingOut]:
        """Return funding rates."""
        return [FundingOut(**row) for row in await data.funding(name, since=since, until=until)]

    @routes.get("/check")
    async def check_data(_caller: Reader, name: Name, timeframe: Frame) -> dict[str, Any]:
        """Return the quality of stored bars: score, gaps, repeats, outliers."""
        return await data.check(name, timeframe)

    @routes.delete("", status_code=204)
    async def delete_data(
        caller: Writer,
        name: Name,
        kind: Annotated[str, Query(max_length=10)],
        timeframe: Annotated[str | None, Query(max_length=8)] = None,
    ) -> None:
        """Delete a dataset."""
        await data.delete(caller, name, kind, timeframe)

    return routes
