"""HTTP of backtests. Decisions are the service's."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import FileResponse

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.services.strategy import schemas
from cashup.services.strategy.backtests.links import ReportLinks
from cashup.services.strategy.backtests.service import BacktestService

Runner = Annotated[Caller, Depends(require(Permission.BACKTEST))]
Reader = Annotated[Caller, Depends(require(Permission.STRATEGY_READ))]

#: A report runs its own scripts, made behind the fence: it gets an origin of its own and no network.
_REPORT_HEADERS: Final = {
    "content-security-policy": (
        "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'self'"
    ),
    "x-frame-options": "SAMEORIGIN",
}


def router(backtests: BacktestService, links: ReportLinks) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/backtests", tags=["backtests"])
    _add_backtests(routes, backtests)
    _add_files(routes, backtests)
    _add_links(routes, backtests, links)
    return routes


def _add_backtests(routes: APIRouter, backtests: BacktestService) -> None:
    @routes.get("")
    async def list_backtests(
        caller: Reader,
        before: Annotated[str, Query(max_length=26)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        strategy_id: Annotated[str, Query(max_length=26)] = "",
        status: Annotated[str, Query(pattern="^(queued|running|done|failed|cancelled)?$")] = "",
    ) -> schemas.BacktestPage:
        """List the caller's backtests, newest first."""
        rows = await backtests.page(
            caller, before=before, limit=limit + 1, strategy_id=strategy_id, status=status
        )
        items = [schemas.BacktestOut.model_validate(row) for row in rows[:limit]]
        return schemas.BacktestPage(items=items, next=items[-1].id if len(rows) > limit else "")

    @routes.post("", status_code=202)
    async def submit_backtest(
        caller: Runner,
        body: schemas.BacktestIn,
        idempotency_key: Annotated[str, Header(max_length=80)] = "",
    ) -> schemas.BacktestOut:
        """Put a backtest into the queue; its progress comes over the WebSocket topic ``user:<id>:backtests``."""
        row = await backtests.submit(
            caller,
            body.strategy_id,
            version=body.version,
            request=body.model_dump(exclude={"strategy_id", "version"}, mode="json"),
            idempotency_key=idempotency_key,
        )
        return schemas.BacktestOut.model_validate(row)

    @routes.get("/compare")
    async def compare_backtests(
        caller: Reader,
        ids: Annotated[list[Annotated[str, Query(max_length=26)]], Query(min_length=1, max_length=20)],
    ) -> list[schemas.BacktestDetail]:
        """Show several backtests side by side."""
        return [schemas.BacktestDetail.model_validate(await backtests.get(caller, one)) for one in ids]

    @routes.get("/{backtest_id}")
    async def show_backtest(caller: Reader, backtest_id: str) -> schemas.BacktestDetail:
        """Show a backtest with every figure."""
        return schemas.BacktestDetail.model_validate(await backtests.get(caller, backtest_id))

    @routes.post("/{backtest_id}/cancel")
    async def cancel_backtest(caller: Runner, backtest_id: str) -> schemas.BacktestOut:
        """End a backtest."""
        return schemas.BacktestOut.model_validate(await backtests.cancel(caller, backtest_id))

    @routes.delete("/{backtest_id}", status_code=204)
    async def delete_backtest(caller: Runner, backtest_id: str) -> None:
        """Forget a backtest that has ended, with its files."""
        await backtests.delete(caller, backtest_id)


def _add_files(routes: APIRouter, backtests: BacktestService) -> None:
    @routes.get("/{backtest_id}/report", response_class=Response)
    async def show_report(caller: Reader, backtest_id: str) -> FileResponse:
        """Return the report, one self-contained page."""
        path = await backtests.file(caller, backtest_id, "report.html")
        return FileResponse(path, media_type="text/html", headers=_REPORT_HEADERS)

    @routes.get("/{backtest_id}/result", response_class=Response)
    async def show_result(caller: Reader, backtest_id: str) -> FileResponse:
        """Return the whole result as JSON: configuration, figures, trades, equity."""
        return FileResponse(
            await backtests.file(caller, backtest_id, "result.json"), media_type="application/json"
        )

    @routes.get("/{backtest_id}/output", response_class=Response)
    async def show_output(caller: Reader, backtest_id: str) -> FileResponse:
        """Return what the strategy printed."""
        path = await backtests.file(caller, backtest_id, "output.txt")
        return FileResponse(path, media_type="text/plain; charset=utf-8")


def _add_links(routes: APIRouter, backtests: BacktestService, links: ReportLinks) -> None:
    @routes.post("/{backtest_id}/report-link")
    async def make_report_link(caller: Reader, backtest_id: str) -> schemas.LinkOut:
        """Make a link a frame can open: it works for a minute, for this report alone."""
        await backtests.file(caller, backtest_id, "report.html")
        return schemas.LinkOut(url=f"/api/v1/backtests/reports/{links.make(backtest_id)}")

    @routes.get("/reports/{ticket}", response_class=Response)
    async def open_report_link(ticket: str) -> FileResponse:
        """Return the report a link was made for; the link itself is the permission."""
        path = backtests.folder(links.read(ticket)) / "report.html"
        return FileResponse(path, media_type="text/html", headers=_REPORT_HEADERS)
