"""What compiles, what does not and why, and that both give the same."""

import pytest

from cashup.backtest.fast import run_fast
from cashup.kernel.compiling import compiler
from cashup.model.errors import InputError, StrategyFailed
from unit.engine.market_builders import market, prices_market, strategy_from

FORM = """
LIMIT = 3
WEIGHTS = (0.5, 1.5)


def outside(a, b=2.0):
    return a * b


class Sample(Strategy):
    kind = param("sma", choices=["sma", "ema"])
    factor = param(2, low=1, high=9)
    SHARE = 0.25

    def prepare(self, bars):
        self.ma = ta.SMA(bars.close, 5)
        self.bands = ta.BBANDS(bars.close, 10)
        self.four = bars.at("4m")
        self.features = np.column_stack([bars.close, bars.volume])

    def on_start(self):
        self.x = 0.0
        self.n = 0
        self.flag = False
        self.nothing = None
        self.words = "abc"
        self.things = [1, 2]
        self.buffer = np.zeros(4)
        self.counts = np.zeros((2, 3), dtype=np.int64)

    @property
    def doubled(self):
        return self.ma[0] * 2.0

    @staticmethod
    def third(v):
        return v / 3.0

    def on_bar(self):
{body}
"""


def sample(folder, *lines):
    return strategy_from(folder, FORM.format(body="\n".join("        " + line for line in lines)))()


SUPPORTED = {
    "arithmetic": ["self.x = (self.ma[0] * 3 - 1) / 7 + self.n // 2 + self.n % 3 - -self.ma[0]"],
    "power": ["self.x = self.ma[0] ** 2 + self.ma[0] ** 0.5 + 2 ** 3"],
    "chained comparison": ["if 90.0 < self.price <= 110.0 != self.ma[0]:", "    self.n += 1"],
    "and or not": ["if not self.flag and (self.n > 3 or self.ma[0] > 100):", "    self.flag = True"],
    "conditional expression": ["self.x = 1.0 if self.ma[0] > 100 else 2"],
    "for over range": ["for k in range(5):", "    self.x += self.ma[k] if self.ma[k] == self.ma[k] else 0.0"],
    "for over a tuple": ["for w in WEIGHTS:", "    self.x += w"],
    "while break continue": [
        "k = 0",
        "while True:",
        "    k += 1",
        "    if k == 3:",
        "        continue",
        "    if k > 5:",
        "        break",
        "    self.n += k",
    ],
    "tuples": ["a, b = self.ma[0], self.ma[1]", "self.x, self.n = b - a, 4", "c = (a, b)", "self.x += c[1]"],
    "module constants and functions": ["self.x = outside(LIMIT) + outside(1.5, b=WEIGHTS[0]) + math.pi"],
    "builtins": [
        "self.x = max(1, self.ma[0], 2.5) + min(self.n, 3) + abs(-2) + round(self.ma[0]) + int(3.7)"
    ],
    "bool float int": ["self.flag = bool(self.x)", "self.x = float(self.n) + int(self.flag)"],
    "math": [
        "self.x = math.sqrt(self.price) + math.log(self.price) + math.floor(self.price) + math.exp(0.01)"
    ],
    "log of another base": ["self.x = math.log(self.price, 10)"],
    "nan tests": ["if math.isnan(self.ma[7]) or np.isnan(self.ma[0]):", "    self.n += 1"],
    "named tuple of series": ["self.x = self.bands.upperband[0] - self.bands[2][1]"],
    "bars": ["self.x = self.bars.high[0] - self.bars.low[1] + self.bars.ts[0] * 0.0"],
    "another timeframe": ["self.x = self.four.close[0] - self.four.open[1]"],
    "property": ["self.x = self.doubled + 1.0"],
    "static method": ["self.x = self.third(self.ma[0])"],
    "class constant": ["self.x = self.SHARE * self.factor"],
    "text parameter": ["if self.kind == 'sma':", "    self.x = 1.0", "else:", "    self.x = self.nothing"],
    "arrays": ["self.buffer[self.n % 4] = self.price", "self.counts[1, 2] += 1", "self.x = self.buffer[-1]"],
    "length": ["for k in range(len(self.buffer)):", "    self.x += self.buffer[k]"],
    "read-only matrix": ["self.x = self.features[self.index, 1]"],
    "position": [
        "p = self.position",
        "self.x = p.size + p.pnl + p.pnl_pct + p.value",
        "self.flag = p.is_short",
    ],
    "account": ["self.x = self.equity + self.cash + self.price + self.index", "self.n = self.now"],
    "order view": ["i = self.buy(0.1, limit=self.price * 0.9)", "self.x = self.order_of(i).remaining"],
    "log": ["self.log('n is {} of {:.2f}', self.n, self.x)", "self.log('plain', self.flag)"],
    "super of the base": ["super().on_bar()", "self.n += 1"],
    "multiple targets": ["a = self.x = self.ma[0]", "self.x += a"],
    "annotated": ["y: float = self.ma[0]", "self.x = y"],
    "assertion": ["assert self.n >= 0, 'never'", "self.n += 1"],
    "early return": ["if self.n > 10:", "    return", "self.n += 1"],
    "truth of a number": ["if self.ma[0] and self.n:", "    self.x = 1.0", "self.n = 1 if self.ma[9] else 0"],
}


@pytest.mark.parametrize("name", SUPPORTED)
def test_supported_constructs_compile_and_agree(tmp_path, name):
    strategy, data = sample(tmp_path, *SUPPORTED[name]), market(60)
    compiled, plain = run_fast(strategy, data, mode="compiled"), run_fast(strategy, data, mode="python")
    assert compiled.mode == "compiled"
    for field in ("x", "n", "flag"):
        # A float field that Python gave an integer holds the same number as a float.
        assert float(getattr(compiled.strategy, field)).hex() == float(getattr(plain.strategy, field)).hex()
    assert compiled.orders.tobytes() == plain.orders.tobytes()
    assert compiled.log == plain.log


UNSUPPORTED = {
    "f-string": (["self.log(f'{self.n}')"], 1, "text of self.log"),
    "dict": (["d = {1: 2}", "self.n += 1"], 1, "a dict"),
    "list": (["self.n += 1", "v = [1, 2]"], 2, "a list"),
    "None state": (["if self.nothing == 3:", "    pass"], 1, "self.nothing is None"),
    "is None": (["self.n += 1", "if self.x is None:", "    pass"], 2, "comparison with is"),
    "text state": (["w = self.words"], 1, "self.words is a text"),
    "list state": (["self.n = self.things[0]"], 1, "self.things is a list"),
    "undeclared": (["self.y = 3.0", "self.n = 1"], 1, "self.y has no value"),
    "float into int": (["self.n += 1", "self.n = self.ma[0]"], 2, "self.n began as an integer"),
    "number into bool": (["self.flag = 1.0"], 1, "self.flag began as True or False"),
    "try": (["try:", "    self.n += 1", "except ValueError:", "    pass"], 1, "try/except"),
    "comprehension": (["s = sum([self.ma[k] for k in range(3)])"], 1, "sum()"),
    "maybe unassigned": (["if self.n > 99:", "    y = 1.0", "else:", "    y = self.x", "self.x = y"], 0, ""),
    "unassigned": (["if self.n >= 0:", "    y = 1.0", "self.x = y"], 3, "'y' may have no value"),
    "print": (["self.n += 1", "print(self.n)"], 2, "print()"),
    "numpy function": (["self.x = np.exp(0.5)"], 1, "np.exp()"),
    "slice": (["v = self.buffer[1:3]"], 1, "a slice"),
    "lambda": (["f = lambda v: v", "self.n += 1"], 1, "a lambda"),
    "computed log text": (["self.log(self.words)"], 1, ""),
    "replacing a series": (["self.ma = 3.0"], 1, "self.ma began as"),
    "starred": (["a = max(*WEIGHTS)"], 1, "* or **"),
}
FALLS_BACK = [name for name, (_, line, _) in UNSUPPORTED.items() if line and name != "computed log text"]


@pytest.mark.parametrize("name", FALLS_BACK)
def test_unsupported_constructs_run_in_python_and_name_the_line(tmp_path, name):
    body, line, reason = UNSUPPORTED[name]
    strategy = sample(tmp_path, *body)
    run = run_fast(strategy, market(40))
    source = (tmp_path / "strategy.py").read_text().splitlines()
    first = next(k for k, text in enumerate(source, 1) if "def on_bar" in text)
    assert run.mode == "python"
    assert run.obstacle is not None
    assert reason in run.obstacle.reason
    assert (run.obstacle.file, run.obstacle.line) == (str(tmp_path / "strategy.py"), first + line)


def test_a_value_on_every_path_is_enough(tmp_path):
    assert run_fast(sample(tmp_path, *UNSUPPORTED["maybe unassigned"][0]), market(40), mode="compiled")


def test_insisting_on_compiled_says_why_it_cannot_be(tmp_path):
    with pytest.raises(InputError, match="a dict; use fields on self"):
        run_fast(sample(tmp_path, "d = {}"), market(40), mode="compiled")


OVERFLOWS = {
    "multiplication": ["self.n = (self.n + 3037000500) * 3037000500 % 1000"],
    "power": ["self.n = (self.index + 10) ** 20 % 7"],
    "division": ["self.x = (self.now * 5) / 3"],
    "to integer": ["self.n = int(1e30 * self.price) % 10"],
}


@pytest.mark.parametrize("name", OVERFLOWS)
def test_what_exceeds_machine_integers_is_repeated_in_python(tmp_path, name):
    strategy = sample(tmp_path, *OVERFLOWS[name])
    run, plain = run_fast(strategy, market(40)), run_fast(strategy, market(40), mode="python")
    assert run.mode == "python"
    assert run.obstacle is None or "2**63" in run.obstacle.reason
    assert (run.strategy.n, run.strategy.x) == (plain.strategy.n, plain.strategy.x)


FAILURES = {
    "ZeroDivisionError": (["self.x = 1.0 / (self.index - 20)"], "on_bar", 1),
    "IndexError": (["if self.index == 20:", "    self.x = self.ma[-1]"], "on_bar", 2),
    "ValueError": (["self.x = math.sqrt(20.5 - self.index)"], "on_bar", 1),
    "RuntimeError": (["if self.index == 20:", "    raise RuntimeError('stop here')"], "on_bar", 2),
}


@pytest.mark.parametrize("mode", ["auto", "python"])
@pytest.mark.parametrize("name", FAILURES)
def test_failures_name_strategy_callback_bar_file_and_line(tmp_path, name, mode):
    body, callback, line = FAILURES[name]
    with pytest.raises(StrategyFailed) as caught:
        run_fast(sample(tmp_path, *body), market(60), mode=mode)
    error = caught.value
    source = (tmp_path / "strategy.py").read_text().splitlines()
    first = next(k for k, text in enumerate(source, 1) if "def on_bar" in text)
    bar = 21 if name == "ValueError" else 20
    assert name in error.message
    assert (error.strategy, error.callback, error.line) == ("Sample", callback, first + line)
    assert error.file == str(tmp_path / "strategy.py")
    assert error.bar_time == f"2023-01-01T00:{bar:02d}:00Z"


def test_parameters_reuse_the_compiled_callbacks(tmp_path):
    strategy = sample(tmp_path, "self.x = self.ma[0] * self.factor")
    first = run_fast(type(strategy)(factor=2), market(60), mode="compiled")
    compiled = dict(compiler._compiled)
    second = run_fast(type(strategy)(factor=5), market(60), mode="compiled")
    assert compiler._compiled == compiled
    assert second.strategy.x == first.strategy.x * 2.5


def test_on_start_and_on_stop_may_do_anything(tmp_path):
    cls = strategy_from(
        tmp_path,
        """
        class Both(Strategy):
            def on_start(self):
                self.n = 0
                self.notes = {"started": True}
            def on_bar(self):
                self.n += 1
                self.log("bar {}", self.n)
            def on_stop(self):
                self.notes["bars"] = self.n
                self.log("stopped after", self.n)
        """,
    )
    for mode in ("compiled", "python"):
        run = run_fast(cls(), market(30), mode=mode)
        assert run.strategy.notes == {"started": True, "bars": 30}
        assert run.log[0].text == "bar 1"
        assert run.log[-1].text == "stopped after 30"


def test_a_log_line_a_bar_keeps_the_first_and_counts_the_rest(tmp_path):
    data = prices_market([100.0 + k % 7 for k in range(10_050)])
    runs = [
        run_fast(sample(tmp_path, "self.log('bar', self.index)"), data, mode=mode)
        for mode in ("compiled", "python")
    ]
    assert [run.log_count for run in runs] == [10_041, 10_041]
    assert [len(run.log) for run in runs] == [10_000, 10_000]
    assert runs[0].log == runs[1].log
