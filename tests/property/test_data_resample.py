"""Resampling in steps is resampling at once, and a join never sees the future."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cashup.data.resample import bars_from_trades, resample
from cashup.data.timeline import close_times, closed_bars
from cashup.model.time import Timeframe

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
ANCHOR = 1_704_067_200_000  # 2024-01-01, a Monday
LADDERS = st.sampled_from(
    [
        ("1m", "5m", "15m"),
        ("1m", "15m", "1h"),
        ("5m", "1h", "4h"),
        ("1h", "1d", "1w"),
        ("1d", "1M", "3M"),
        ("4h", "1d", "1M"),
    ]
)


def bars_at(opens: np.ndarray, seed: int) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    prices = generator.integers(1, 1000, (4, len(opens))).astype(float)
    prices.sort(axis=0)
    return pl.DataFrame(
        {
            "ts": opens,
            "open": prices[1],
            "high": prices[3],
            "low": prices[0],
            "close": prices[2],
            "volume": generator.integers(0, 1000, len(opens)).astype(float),
        }
    )


@st.composite
def bars(draw: st.DrawFn, timeframe: str) -> pl.DataFrame:
    """Bars of a timeframe with random gaps, beginning anywhere; whole volumes add without rounding."""
    step = Timeframe.parse(timeframe).duration_ns // 1_000_000
    first, count = draw(st.integers(0, 400)), draw(st.integers(1, 400))
    seed = draw(st.integers(0, 2**32 - 1))
    opens = ANCHOR + step * (first + np.arange(count))
    kept = np.random.default_rng(seed).random(count) < draw(st.sampled_from([0.5, 0.9, 1.0]))
    kept[[0, -1]] = True
    return bars_at(opens[kept], seed)


@settings(max_examples=80, deadline=None)
@given(st.data(), LADDERS)
def test_in_steps_or_at_once(data: st.DataObject, ladder: tuple[str, str, str]) -> None:
    low, middle, high = ladder
    frame = data.draw(bars(low))
    at_once = resample(frame, low, high, partial="keep")
    in_steps = resample(resample(frame, low, middle, partial="keep"), middle, high, partial="keep")
    assert in_steps.equals(at_once)


@settings(max_examples=80, deadline=None)
@given(st.data(), LADDERS)
def test_resampling_again_changes_nothing(data: st.DataObject, ladder: tuple[str, str, str]) -> None:
    low, middle, _ = ladder
    once = resample(data.draw(bars(low)), low, middle)
    assert resample(once, middle, middle).equals(once)


@settings(max_examples=80, deadline=None)
@given(st.data(), LADDERS)
def test_whole_bars_do_not_depend_on_what_comes_later(
    data: st.DataObject, ladder: tuple[str, str, str]
) -> None:
    low, middle, _ = ladder
    frame = data.draw(bars(low))
    cut = data.draw(st.integers(1, frame.height))
    early, full = resample(frame.head(cut), low, middle), resample(frame, low, middle)
    assert full.head(early.height).equals(early)
    volume = full["volume"].sum() if full.height else 0.0
    assert volume <= frame["volume"].sum()


@settings(max_examples=80, deadline=None)
@given(st.data(), LADDERS)
def test_a_join_counts_exactly_the_bars_that_have_closed(
    data: st.DataObject, ladder: tuple[str, str, str]
) -> None:
    low, middle, _ = (Timeframe.parse(text) for text in ladder)
    lower = data.draw(bars(ladder[0]))["ts"].to_numpy()
    higher = resample(bars_at(lower, 1), low, middle, partial="keep")["ts"].to_numpy()
    counts = closed_bars(lower, low, higher, middle)
    ends = close_times(higher, middle)
    for open_ts, count in zip(lower, counts, strict=True):
        now = low.close_time(int(open_ts) * 1_000_000) // 1_000_000
        assert count == sum(1 for end in ends if end <= now)
    assert np.all(np.diff(counts) >= 0)


@settings(max_examples=40, deadline=None)
@given(st.data(), LADDERS)
def test_the_future_does_not_reach_a_join(data: st.DataObject, ladder: tuple[str, str, str]) -> None:
    low, middle, _ = ladder
    frame = data.draw(bars(low))
    cut = data.draw(st.integers(1, frame.height))

    def joined(rows: pl.DataFrame) -> list[float | None]:
        higher = resample(rows, low, middle, partial="keep")
        counts = closed_bars(
            rows["ts"].to_numpy(), Timeframe.parse(low), higher["ts"].to_numpy(), Timeframe.parse(middle)
        )
        return [higher["close"][int(count) - 1] if count else None for count in counts]

    assert joined(frame)[:cut] == joined(frame.head(cut))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 600_000), st.integers(1, 99), st.integers(1, 9)), min_size=1, max_size=60
    )
)
def test_trades_to_minutes_to_five_is_trades_to_five(rows: list[tuple[int, int, int]]) -> None:
    ordered = sorted(rows, key=lambda row: row[0])
    trades = pl.DataFrame(
        {
            "ts": [ANCHOR + ts for ts, _, _ in ordered],
            "price": [float(price) for _, price, _ in ordered],
            "amount": [float(amount) for _, _, amount in ordered],
        }
    )
    minutes = bars_from_trades(trades, "1m", partial="keep")
    assert resample(minutes, "1m", "5m", partial="keep").equals(
        bars_from_trades(trades, "5m", partial="keep")
    )
    assert minutes["volume"].sum() == trades["amount"].sum()
