"""Random strategies give bit-identical orders, fills, equity and state, compiled and in Python."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cashup.backtest.fast import run_fast
from cashup.backtest.market import InstrumentData, MarketData
from cashup.kernel.memory import Rules
from cashup.kernel.types import SLIP_RATE
from cashup.model.errors import StrategyFailed
from unit.engine.market_builders import PERPETUAL, SPOT, bar_table, market, strategy_from

NUMBERS = (
    "self.fast[0]",
    "self.slow[1]",
    "self.bars.close[0]",
    "self.bars.high[k]",
    "self.bars.low[2]",
    "self.hourly[0]",
    "self.hourly[1]",
    "self.price",
    "self.equity / 1000.0",
    "self.cash",
    "self.position.size",
    "self.position.entry_price",
    "self.position.pnl",
    "self.position.pnl_pct",
    "self.position.value",
    "self.level",
    "self.count",
    "self.window[self.count % 5]",
    "self.index",
    "k",
    "x",
    "3",
    "0.5",
    "-2",
)
CONDITIONS = (
    "self.crossed_above(self.fast, self.slow)",
    "self.crossed_below(self.fast, self.slow)",
    "self.crossed_above(self.fast, 100.0)",
    "self.position.is_flat",
    "self.position.is_long",
    "self.armed",
    "self.count % 7 == 3",
    "self.index % 11 == 5",
)
numbers = st.deferred(
    lambda: (
        st.sampled_from(NUMBERS)
        | st.builds("({} {} {})".format, numbers, st.sampled_from(["+", "-", "*"]), numbers)
        | st.builds(
            "({} / {})".format, numbers, st.sampled_from(["3.0", "(1.5 + abs(x))", "7", "self.count"])
        )
        | st.builds("({} // {})".format, numbers, st.sampled_from(["3", "0.7"]))
        | st.builds("({} % {})".format, numbers, st.sampled_from(["4", "1.3", "-3"]))
        | st.builds("min({}, {})".format, numbers, numbers)
        | st.builds("max({}, {}, 1)".format, numbers, numbers)
        | st.builds("abs({})".format, numbers)
        | st.builds("math.sqrt(abs({}))".format, numbers)
        | st.builds("math.log(1.0 + abs({}))".format, numbers)
        | st.builds("abs({}) ** 1.7".format, numbers)
        | st.builds("self.helper({})".format, numbers)
        | st.builds("({} if {} else {})".format, numbers, conditions, numbers)
    )
)
conditions = st.deferred(
    lambda: (
        st.sampled_from(CONDITIONS)
        | st.builds("{} {} {}".format, numbers, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers)
        | st.builds("({} and {})".format, conditions, conditions)
        | st.builds("({} or {})".format, conditions, conditions)
        | st.builds("not ({})".format, conditions)
    )
)
ORDERS = (
    "self.target(0.5)",
    "self.target(1.0, tolerance=0.05)",
    "self.target(0.0)",
    "self.target_size(2.5)",
    "self.close()",
    "self.buy()",
    "self.sell()",
    "self.buy(1.5)",
    "self.sell(1.0)",
    "self.buy(value=500.0, stop_loss=self.price * 0.97, take_profit=self.price * 1.02)",
    "self.buy(1, limit=self.price * 0.995, tag=3)",
    "self.sell(0.7, limit=self.price * 1.004, post_only=True)",
    "self.buy(0.5, stop=self.price * 1.003, trailing=0.01)",
    "self.sell(0.5, stop=self.price * 0.99, limit=self.price * 0.985)",
    "self.sell(0.4, trail=0.02, reduce_only=True)",
    "self.buy(0.3, touch=self.price * 0.99)",
    "self.buy(2.0, limit=self.price, tif='IOC')",
    "self.buy(2.0, limit=self.price * 1.01, tif='FOK')",
    "self.buy(0.2, limit=self.price * 0.98, expires=self.now + 600000000000)",
    "self.last = self.buy(0.6, limit=self.price * 0.99)",
    "self.cancel(self.last)",
    "self.cancel_all()",
    "self.oco(self.buy(0.1, limit=self.price * 0.98), self.buy(0.1, stop=self.price * 1.02))",
    "self.buy(-1.0)",
    "self.buy(1.0, limit=x)",
    "self.log('here {} and {:.3f}', self.count, x)",
)
STATE = (
    "self.count += 1",
    "self.level = {}",
    "self.armed = {}",
    "self.window[self.count % 5] = {}",
    "x = {}",
    "x += self.window[0]",
)
simple = st.sampled_from(ORDERS) | st.builds(
    lambda form, number, condition: form.format(condition if "armed" in form else number),
    st.sampled_from(STATE), numbers, conditions,
)  # fmt: skip


def _indented(lines):
    return ["    " + line for line in lines]


blocks = st.deferred(
    lambda: st.lists(statements, min_size=1, max_size=3).map(
        lambda parts: [line for part in parts for line in part]
    )
)
statements = st.deferred(
    lambda: (
        simple.map(lambda line: [line])
        | st.builds(lambda c, b: [f"if {c}:", *_indented(b)], conditions, blocks)
        | st.builds(
            lambda c, b, e: [f"if {c}:", *_indented(b), "else:", *_indented(e)], conditions, blocks, blocks
        )
        | st.builds(lambda b: ["for k in range(3):", *_indented(b)], blocks)
    )
)

FORM = """
class Base(Strategy):
    offset = param(1.0, low=0.0, high=9.0)

    def helper(self, y):
        return y * 0.5 + self.offset


class Random(Base):
    period = param(5, low=2, high=50)

    def prepare(self, bars):
        self.fast = ta.SMA(bars.close, self.period)
        self.slow = ta.EMA(bars.close, 20)
        self.hourly = bars.at("15m").close

    def on_start(self):
        self.count = 0
        self.level = 0.0
        self.armed = False
        self.last = 0
        self.window = np.zeros(5)

    def helper(self, y):
        return super().helper(y) - 0.25

    def on_bar(self):
        k = 0
        x = self.fast[0]
{body}

    def on_fill(self, fill):
        self.level = fill.price * fill.quantity
        if fill.is_buy:
            self.count += 2

    def on_order(self, order):
        if order.is_rejected:
            self.count += order.reason
"""


def source_of(lines):
    return FORM.format(body="\n".join("        " + line for line in lines))


def outcome_of(strategy, data, mode):
    """Run, and return everything that must be equal; an exception counts as an outcome."""
    try:
        run = run_fast(strategy, data, mode=mode)
    except StrategyFailed as e:
        return str(e), None
    state = {key: repr(value) for key, value in vars(run.strategy).items() if key in _STATE}
    return (
        run.orders.tobytes(), run.fills.tobytes(), run.equity.tobytes(), run.memory.counters(), run.log, state
    ), run.mode  # fmt: skip


_STATE = ("count", "armed", "last", "window")
MARKETS = {
    "spot": market(400, spec=SPOT),
    "perpetual": market(400, spec=PERPETUAL, seed=3, rules=Rules(slippage_model=SLIP_RATE, slippage=0.0003)),
    "delayed": market(300, spec=PERPETUAL, seed=5, rules=Rules(latency=30_000_000_000, volume_limit=0.05)),
}


@pytest.mark.parametrize("name", MARKETS)
@given(body=blocks)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_random_strategies_are_bit_identical(name, body):
    with tempfile.TemporaryDirectory() as folder:
        strategy = strategy_from(Path(folder), source_of(body))(period=7)
        in_python, _ = outcome_of(strategy, MARKETS[name], "python")
        compiled, _ = outcome_of(strategy, MARKETS[name], "auto")
    assert compiled == in_python


@pytest.mark.parametrize("line", ORDERS)
def test_every_kind_of_order_compiles(tmp_path, line):
    body = ["if self.index % 9 == 4:", "    " + line]
    strategy = strategy_from(tmp_path, source_of(body))()
    in_python, _ = outcome_of(strategy, MARKETS["spot"], "python")
    compiled, mode = outcome_of(strategy, MARKETS["spot"], "compiled")
    assert mode == "compiled"
    assert compiled == in_python


def test_several_instruments_share_cash_and_agree(tmp_path):
    items = [
        InstrumentData(
            spec=PERPETUAL, bars=bar_table(200, seed=seed, name=name, start=bar_table(1).open_ts[0] + gap)
        )
        for seed, name, gap in ((1, "BTC/USDT", 0), (2, "ETH/USDT", 1_800_000_000_000))
    ]
    strategy = strategy_from(
        tmp_path,
        """
        class Pair(Strategy):
            def prepare(self, bars):
                other = bars.of("ETH/USDT")
                self.spread = ta.SMA(other.close, 3)
                self.joined = other.close.on(bars) - bars.close
            def on_bar(self):
                if self.spread[0] > self.spread[1]:
                    self.target(0.4, instrument=1)
                elif self.joined[0] < 0.0 and self.position_of(1).is_long:
                    self.close(1)
                    self.target(-0.3)
        """,
    )()
    data = MarketData(instruments=tuple(items), cash=10_000.0)
    in_python, _ = outcome_of(strategy, data, "python")
    compiled, mode = outcome_of(strategy, data, "compiled")
    assert mode == "compiled"
    assert compiled == in_python
    assert len(compiled[1]) > 0


def test_detail_bars_match_orders_inside_the_decision_bar(tmp_path):
    detail = bar_table(1500, seed=8)
    from cashup.engine.bars import resample
    from cashup.model.time import Timeframe

    bars = resample(detail, Timeframe.parse("15m"), int(detail.close_ts[-1]))
    data = MarketData(instruments=(InstrumentData(spec=SPOT, bars=bars, detail=detail),), cash=10_000.0)
    strategy = strategy_from(tmp_path, source_of(["if self.index % 9 == 4:", "    " + ORDERS[9]]))()
    in_python, _ = outcome_of(strategy, data, "python")
    compiled, mode = outcome_of(strategy, data, "compiled")
    assert mode == "compiled"
    assert compiled == in_python
