"""The strategy service, put together."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import APIRouter

from cashup.runtime.context import ServiceContext
from cashup.services.strategy.backtests import routes as backtest_routes
from cashup.services.strategy.backtests.links import ReportLinks
from cashup.services.strategy.backtests.service import BacktestService
from cashup.services.strategy.catalog import routes as catalog_routes
from cashup.services.strategy.catalog.service import CatalogService
from cashup.services.strategy.jobs import Launcher
from cashup.services.strategy.market_data import routes as data_routes
from cashup.services.strategy.market_data.service import MarketDataService


class StrategyService:
    """Strategies and backtests.

    Args:
        context: The shared parts of the process.
        launcher: Runs users' code behind the fence.
        templates: The strategies that come with the product.
    """

    name = "strategy"

    def __init__(self, context: ServiceContext, launcher: Launcher, templates: dict[str, Path]) -> None:
        self.context = context
        home = context.settings.home
        self.data = MarketDataService(context.database, home)
        self.catalog = CatalogService(context.database, launcher, home, templates)
        self.backtests = BacktestService(
            context.database, context.hub, launcher, self.catalog, home, at_once=max(1, os.cpu_count() or 1)
        )

    def routers(self) -> list[APIRouter]:
        """Return the HTTP routes of this service."""
        return [
            catalog_routes.router(self.catalog),
            backtest_routes.router(self.backtests, ReportLinks(self.context.vault)),
            data_routes.router(self.data),
        ]

    async def start(self) -> None:
        """Take backtests from the queue."""
        self.context.supervisor.start("backtests", self.backtests.run)
