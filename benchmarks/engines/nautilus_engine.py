"""NautilusTrader: an event-driven engine; on bars, market orders fill at the close they were decided on."""

from __future__ import annotations

from decimal import Decimal
from time import perf_counter

import pandas as pd
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

from benchmarks.engines.market import CASH, FEE, Market, Outcome

NAME = "NautilusTrader"
MODULES = ("nautilus_trader",)
ROUNDS = 1

INSTRUMENT = CurrencyPair(
    instrument_id=InstrumentId(Symbol("BTCUSDT"), Venue("SIM")),
    raw_symbol=Symbol("BTCUSDT"),
    base_currency=BTC,
    quote_currency=USDT,
    price_precision=8,
    size_precision=6,
    price_increment=Price(1e-8, 8),
    size_increment=Quantity(1e-6, 6),
    lot_size=None,
    max_quantity=None,
    min_quantity=None,
    max_notional=None,
    min_notional=None,
    max_price=None,
    min_price=None,
    margin_init=Decimal(0),
    margin_maint=Decimal(0),
    maker_fee=Decimal(str(FEE)),
    taker_fee=Decimal(str(FEE)),
    ts_event=0,
    ts_init=0,
)
BAR_TYPE = BarType.from_str("BTCUSDT.SIM-1-MINUTE-LAST-EXTERNAL")


def prepare(market: Market) -> list[Bar]:
    index = pd.to_datetime(market.ts, unit="ms", utc=True)
    columns = {"open": market.open, "high": market.high, "low": market.low, "close": market.close}
    frame = pd.DataFrame({**columns, "volume": market.volume}, index=index)
    bars: list[Bar] = BarDataWrangler(BAR_TYPE, INSTRUMENT).process(frame, ts_init_delta=60_000_000_000)
    return bars


class Config(StrategyConfig, frozen=True):
    fast: int
    slow: int


class SmaCross(Strategy):
    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.fast_ma = SimpleMovingAverage(config.fast)
        self.slow_ma = SimpleMovingAverage(config.slow)
        self.above: bool | None = None

    def on_start(self) -> None:
        self.register_indicator_for_bars(BAR_TYPE, self.fast_ma)
        self.register_indicator_for_bars(BAR_TYPE, self.slow_ma)
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar: Bar) -> None:
        if not self.slow_ma.initialized:
            return
        above = self.fast_ma.value > self.slow_ma.value
        if self.above is not None and above != self.above:
            self.trade(above, bar)
        self.above = above

    def trade(self, enter: bool, bar: Bar) -> None:
        account = self.portfolio.account(INSTRUMENT.id.venue)
        if enter:
            cash = float(account.balance_free(USDT))
            size = int(cash / (float(bar.close) * (1 + FEE)) * 1e6) / 1e6
            side = OrderSide.BUY
        else:
            size = int(float(account.balance_free(BTC)) * 1e6 + 1e-3) / 1e6
            side = OrderSide.SELL
        if size > 0:
            order = self.order_factory.market(INSTRUMENT.id, side, Quantity(size, 6))
            self.submit_order(order)


def run(bars: list[Bar], fast: int, slow: int) -> Outcome:
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        venue=Venue("SIM"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=None,
        starting_balances=[Money(CASH, USDT), Money(0, BTC)],
    )
    engine.add_instrument(INSTRUMENT)
    engine.add_data(bars)
    engine.add_strategy(SmaCross(Config(fast=fast, slow=slow)))
    start = perf_counter()
    engine.run()
    seconds = perf_counter() - start
    account = engine.portfolio.account(Venue("SIM"))
    equity = float(account.balance_total(USDT)) + float(account.balance_total(BTC)) * float(bars[-1].close)
    entries = sum(order.side == OrderSide.BUY for order in engine.cache.orders())
    engine.dispose()
    return Outcome(seconds=seconds, final_equity=equity, trades=entries)
