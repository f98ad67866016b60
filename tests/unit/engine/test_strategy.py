"""What a strategy is, how it is made ready, and what running it in Python does."""

import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest

from cashup.backtest.fast import run_fast
from cashup.backtest.market import InstrumentData, MarketData
from cashup.engine.loader import load_strategy, shipped_strategies
from cashup.engine.strategy import Strategy
from cashup.kernel.compiling.plans import plan_order
from cashup.kernel.memory import InstrumentSpec
from cashup.model.errors import InputError, StrategyFailed, UnknownNameError
from unit.engine.market_builders import bar_table, market, prices_market, strategy_from


def test_a_misspelt_callback_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'on_bar'"):
        type("Wrong", (Strategy,), {"on_bars": lambda self: None})


def test_names_of_the_api_cannot_be_redefined():
    with pytest.raises(InputError, match="'price'"):
        type("Wrong", (Strategy,), {"price": 3.0})


class Counts(Strategy):
    def prepare(self, bars):
        self.mean = np.convolve(bars.close, np.ones(4) / 4.0)[: len(bars)]
        self.mean[:3] = np.nan
        self.seen = []

    def on_bar(self):
        self.seen.append(self.index)


def test_on_bar_waits_until_every_series_has_a_value():
    run = run_fast(Counts(), market(20), mode="python")
    assert run.strategy.seen == list(range(3, 20))
    assert run.first_decision == 3


def test_a_fixed_warm_up_is_kept():
    strategy = type("Late", (Counts,), {"warmup": 10})()
    assert run_fast(strategy, market(20), mode="python").strategy.seen[0] == 10


def test_a_run_does_not_change_the_instance():
    strategy = Counts()
    first, second = run_fast(strategy, market(30)), run_fast(strategy, market(30))
    assert vars(strategy) == {}
    assert first.equity.tobytes() == second.equity.tobytes()


def test_decisions_at_a_close_fill_at_the_next_open(tmp_path):
    strategy = strategy_from(
        tmp_path,
        """
        class Once(Strategy):
            def on_bar(self):
                if self.index == 2:
                    self.buy(1.0)
                if self.index == 4:
                    self.close()
        """,
    )()
    run = run_fast(strategy, prices_market([100, 101, 102, 103, 104, 105, 106], spec=InstrumentSpec()))
    assert run.fills["price"].tolist() == [102.0, 104.0]
    assert run.fills["d"].tolist() == [3, 5]
    assert run.equity[-1] == 10_002.0


@pytest.mark.parametrize("mode", ["compiled", "python"])
def test_two_thousand_orders_in_a_row_make_the_tables_grow(tmp_path, mode):
    strategy = strategy_from(
        tmp_path,
        """
        class Many(Strategy):
            def on_bar(self):
                for k in range(10):
                    self.buy(0.01)
        """,
    )()
    run = run_fast(strategy, market(700), mode=mode)
    assert len(run.orders) == 7000
    assert len(run.fills) == 6990  # those of the last bar have no next one
    assert run.orders["id"].tolist() == list(range(1, 7001))


@pytest.mark.parametrize(
    ("name", "source", "callback"),
    [
        ("prepare", "def prepare(self, bars):\n        self.x = bars.nothing", "prepare"),
        ("on_start", "def on_start(self):\n        self.x = 1 / 0", "on_start"),
        (
            "on_fill",
            "def on_bar(self):\n        self.buy(1.0)\n    def on_fill(self, fill):\n        1 / 0",
            "on_fill",
        ),
        ("on_stop", "def on_stop(self):\n        self.x = {}['a']", "on_stop"),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "python"])
def test_whatever_raises_is_named(tmp_path, name, source, callback, mode):
    path = tmp_path / "failing.py"
    path.write_text(f"from cashup import Strategy\nclass Failing(Strategy):\n    {source}\n")
    with pytest.raises(StrategyFailed) as caught:
        run_fast(load_strategy(path)(), market(30), mode=mode)
    assert (caught.value.callback, caught.value.file) == (callback, str(path))
    assert caught.value.line > 2


def test_a_part_of_a_column_on_self_is_refused():
    class Cut(Strategy):
        def prepare(self, bars):
            self.tail = bars.close[5:]

    with pytest.raises(InputError, match=r"self\.tail is a part of a column"):
        run_fast(Cut(), market(30))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["size", "value"], "not both"),
        (["limit", "trail"], "cannot have limit and trail"),
        (["stop", "touch"], "cannot have stop and touch"),
    ],
)
def test_contradicting_order_arguments_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        plan_order(given)


def test_order_terms_are_checked():
    with pytest.raises(ValueError, match="GTD"):
        plan_order(["size"], tif="GDT")
    with pytest.raises(ValueError, match="needs expires"):
        plan_order(["size"], tif="GTD")
    with pytest.raises(ValueError, match="ends at once"):
        plan_order(["size", "limit", "expires"], tif="IOC")
    with pytest.raises(ValueError, match="post_only needs"):
        plan_order(["size"], post_only=True)


def test_strategies_load_by_content_and_survive_pickling(tmp_path):
    first = strategy_from(tmp_path, "class A(Strategy):\n    number = param(4)\n")
    instance = pickle.loads(pickle.dumps(first(number=5)))
    assert (type(instance), instance.number) == (first, 5)
    second = strategy_from(tmp_path, "class A(Strategy):\n    number = param(7)\n")  # same length
    assert second().number == 7
    pickled = pickle.dumps(first())
    assert type(pickle.loads(pickled)) is first  # still known to this process
    del sys.modules[first.__module__]
    with pytest.raises(InputError, match="has changed"):
        pickle.loads(pickled)


def test_an_old_class_keeps_its_own_source_after_the_file_changed(tmp_path):
    form = "class A(Strategy):\n    n = 0\n    def on_bar(self):\n        self.n = {}\n"
    old = strategy_from(tmp_path, form.format(1))
    strategy_from(tmp_path, form.format(2))
    assert run_fast(old(), market(5), mode="compiled").strategy.n == 1


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("class A(Strategy):\n  def on_bar(self)\n    pass", InputError, r"strategy\.py:6: not Python"),
        ("x = 3", InputError, "there is no strategy"),
        ("class A(Strategy):\n  pass\nclass B(Strategy):\n  pass", InputError, "several strategies: A, B"),
        ("import nothing_like_this", StrategyFailed, r"strategy\.py:5"),
    ],
)
def test_files_without_one_strategy_say_so(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        strategy_from(tmp_path, text)


def test_a_class_is_chosen_by_name(tmp_path):
    strategy_from(tmp_path, "class A(Strategy):\n  pass\nclass B(A):\n  pass")
    path = tmp_path / "strategy.py"
    assert load_strategy(f"{path}:A").__name__ == "A"
    assert load_strategy(path).__name__ == "B"  # the one nothing else is built on
    with pytest.raises(UnknownNameError):
        load_strategy(f"{path}:C")


def test_missing_files_and_templates_offer_the_near_miss(tmp_path):
    (tmp_path / "crossing.py").write_text("")
    with pytest.raises(UnknownNameError, match=r"crossing\.py"):
        load_strategy(str(tmp_path / "crosing.py"))
    with pytest.raises(UnknownNameError):
        load_strategy("no_such_template")


@pytest.mark.parametrize("name", sorted(shipped_strategies()))
def test_shipped_strategies_compile_and_agree(name):
    cls = load_strategy(name)
    tables = [
        replace(
            bar_table(600, seed=seed, name=instrument, timeframe=cls.timeframe or "1h", step=0.01),
            funding_rate=np.sin(np.arange(600) / 50.0) * 0.001,
        )
        for seed, instrument in enumerate(("BTC/USDT", "ETH/USDT", "SOL/USDT"))
    ]
    needed = len(tables) if name in ("pairs", "rotation") else 1
    items = tuple(
        InstrumentData(spec=InstrumentSpec(taker_fee=0.001), bars=table) for table in tables[:needed]
    )
    data = MarketData(instruments=items)
    compiled = run_fast(cls(), data, mode="compiled")
    plain = run_fast(cls(), data, mode="python")
    assert compiled.orders.tobytes() == plain.orders.tobytes()
    assert compiled.fills.tobytes() == plain.fills.tobytes()
    assert compiled.equity.tobytes() == plain.equity.tobytes()
