"""A realistic run made of arithmetic: bars of a random walk, trades of a moving-average rule on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from cashup.backtest.report import Bars, Costs, ReportInput, Statistic

START = 1_672_531_200_000_000_000  # 2023-01-01
MINUTE = 60_000_000_000


def sample_bars(n: int, minutes: int = 60, seed: int = 7) -> Bars:
    rng = np.random.default_rng(seed)
    calm = np.exp(0.5 * np.sin(np.arange(n) / 900.0)) * 0.0006 * np.sqrt(minutes)
    close = np.round(27_000.0 * np.exp(np.cumsum(rng.standard_t(5, n) * calm * 0.75)), 2)
    opened = np.concatenate([[27_000.0], close[:-1]])
    reach = np.abs(rng.normal(0, 1, (2, n))) * calm * close * 0.6
    high = np.round(np.maximum(opened, close) + reach[0], 2)
    low = np.round(np.minimum(opened, close) - reach[1], 2)
    volume = np.round(rng.lognormal(3, 0.9, n), 5)
    ts = START + np.arange(n, dtype=np.int64) * minutes * MINUTE
    return Bars(ts=ts, open=opened, high=high, low=low, close=close, volume=volume)


def _trades(bars: Bars, every: int, cash: float, seed: int) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = len(bars)
    step = int(bars.ts[1] - bars.ts[0])
    starts = np.sort(rng.choice(np.arange(10, n - 3), size=max(1, n // every), replace=False))
    equity, exposure = np.full(n, cash), np.zeros(n)
    rows: list[dict[str, Any]] = []
    money, free = cash, 0
    for start in starts.tolist():
        if start < free:
            continue
        end = int(min(n - 1, start + 1 + rng.geometric(1 / (0.45 * every))))
        side = 1 if rng.random() < 0.62 else -1
        if rng.random() < 0.56 and (bars.close[end] - bars.open[start]) * side < 0:
            side = -side
        entry, leave = float(bars.open[start]), float(bars.open[end])
        quantity = round(0.9 * money / entry, 5)
        fees = 0.0004 * quantity * (entry + leave)
        path = side * quantity * (bars.close[start:end] - entry)
        equity[start:end] = money + path - 0.0004 * quantity * entry
        exposure[start:end] = side * quantity * bars.close[start:end] / equity[start:end]
        pnl = side * quantity * (leave - entry) - fees
        worst = side * ((bars.low if side > 0 else bars.high)[start:end] / entry - 1)
        best = side * ((bars.high if side > 0 else bars.low)[start:end] / entry - 1)
        money += pnl
        equity[end:] = money
        rows.append(
            {
                "entry_ts": int(bars.ts[start]),
                "exit_ts": int(bars.ts[end]),
                "side": "long" if side > 0 else "short",
                "quantity": quantity,
                "entry_price": entry,
                "exit_price": leave,
                "pnl": pnl,
                "return": pnl / (quantity * entry),
                "fees": fees,
                "funding": 0.0,
                "mae": float(min(0.0, worst.min())),
                "mfe": float(max(0.0, best.max())),
                "bars": end - start,
                "exit_reason": str(rng.choice(["take_profit", "stop_loss", "signal"], p=[0.35, 0.3, 0.35])),
                "tag": "0",
                "instrument": "BTC/USDT",
                "open": end == n - 1,
                "_step": step,
            }
        )
        free = end + 1
    columns = {key: [row[key] for row in rows] for key in rows[0] if not key.startswith("_")}
    return columns, equity, exposure


def _orders(trades: dict[str, Any], step: int) -> dict[str, Any]:
    rows: list[tuple[Any, ...]] = []
    for k in range(len(trades["entry_ts"])):
        buy, sell = ("buy", "sell") if trades["side"][k] == "long" else ("sell", "buy")
        quantity, fee = trades["quantity"][k], trades["fees"][k] / 2
        entry, leave = trades["entry_price"][k], trades["exit_price"][k]
        opened, closed = trades["entry_ts"][k], trades["exit_ts"][k]
        if k % 23 == 5:
            rows.append(
                (
                    opened - step,
                    opened,
                    buy,
                    "limit",
                    0.00001,
                    entry,
                    0.0,
                    0.0,
                    0.0,
                    0.0,
                    "rejected",
                    "min_notional",
                )
            )
        rows.append(
            (opened - step, opened, buy, "market", quantity, 0.0, 0.0, quantity, entry, fee, "filled", "none")
        )
        stop = leave * (0.99 if sell == "sell" else 1.01)
        rows.append(
            (opened - step, closed, sell, "stop", quantity, 0.0, stop, 0.0, 0.0, 0.0, "cancelled", "oco")
        )
        rows.append(
            (
                closed - step,
                closed,
                sell,
                "market",
                quantity,
                0.0,
                0.0,
                quantity,
                leave,
                fee,
                "filled",
                "none",
            )
        )
    names = (
        "created_ts",
        "done_ts",
        "side",
        "type",
        "quantity",
        "price",
        "stop_price",
        "filled",
        "average_price",
        "fee",
    )
    columns: dict[str, Any] = {
        name: [row[j] for row in rows] for j, name in enumerate((*names, "status", "reason"))
    }
    return {"id": list(range(1, len(rows) + 1)), "instrument": ["BTC/USDT"] * len(rows), **columns}


def _statistics(
    equity: np.ndarray, close: np.ndarray, trades: dict[str, Any], years: float
) -> list[Statistic]:
    daily = equity[:: max(1, len(equity) // 400)]
    returns = np.diff(daily) / daily[:-1]
    total, hold = equity[-1] / equity[0] - 1, close[-1] / close[0] - 1
    fall = float((equity / np.maximum.accumulate(equity) - 1).min())
    hold_fall = float((close / np.maximum.accumulate(close) - 1).min())
    won = np.array(trades["pnl"]) > 0
    gains, losses = np.array(trades["pnl"])[won].sum(), -np.array(trades["pnl"])[~won].sum()
    rows: list[tuple[str, str, str, Any, float | None, str, str, str]] = [
        (
            "total_return",
            "returns",
            "fraction",
            total,
            hold,
            "Total return",
            "总收益率",
            "Final equity / initial cash - 1.",
        ),
        (
            "cagr",
            "returns",
            "fraction",
            (1 + total) ** (1 / years) - 1,
            None,
            "CAGR",
            "年化收益率",
            "Compound annual growth rate.",
        ),
        (
            "best_day",
            "returns",
            "fraction",
            returns.max(),
            None,
            "Best day",
            "最佳单日",
            "Largest daily return.",
        ),
        (
            "volatility",
            "risk",
            "fraction",
            returns.std() * 19,
            None,
            "Volatility",
            "年化波动率",
            "Deviation of daily returns x sqrt(365).",
        ),
        (
            "sharpe",
            "ratios",
            "ratio",
            returns.mean() / returns.std() * 19,
            0.71,
            "Sharpe ratio",
            "夏普比率",
            "Mean / deviation.",
        ),
        (
            "sortino",
            "ratios",
            "ratio",
            2.17,
            0.95,
            "Sortino ratio",
            "索提诺比率",
            "Mean / downside deviation.",
        ),
        (
            "max_drawdown",
            "drawdown",
            "fraction",
            fall,
            hold_fall,
            "Max drawdown",
            "最大回撤",
            "Deepest fall from a peak.",
        ),
        (
            "longest_drawdown",
            "drawdown",
            "duration",
            37 * 86400 * 10**9,
            None,
            "Longest drawdown",
            "最长回撤",
            "Peak to recovery.",
        ),
        ("trades", "trades", "count", len(won), None, "Trades", "交易笔数", "Closed trades."),
        ("win_rate", "trades", "fraction", won.mean(), None, "Win rate", "胜率", "Winners / trades."),
        (
            "profit_factor",
            "trades",
            "ratio",
            gains / max(losses, 1e-9),
            None,
            "Profit factor",
            "盈亏比",
            "Gains / losses.",
        ),
        (
            "expectancy",
            "trades",
            "money",
            np.mean(trades["pnl"]),
            None,
            "Expectancy",
            "单笔期望",
            "Mean profit of a trade.",
        ),
        ("skew", "distribution", "number", -0.31, None, "Skewness", "偏度", "Third standardised moment."),
        (
            "undefined",
            "distribution",
            "ratio",
            float("nan"),
            None,
            "Undefined ratio",
            "无定义",
            "A figure this run cannot have.",
        ),
    ]
    for k in range(40):
        group = ("risk", "tail", "exposure", "costs", "benchmark", "significance")[k % 6]
        rows.append(
            (
                f"figure_{k}",
                group,
                "number",
                k * 0.137,
                None,
                f"Figure {k}",
                f"指标 {k}",
                "A figure that fills the table.",
            )
        )
    return [
        Statistic(key=k, group=g, unit=u, value=v, benchmark=b, label=en, label_zh=zh, definition=d)  # type: ignore[arg-type]
        for k, g, u, v, b, en, zh, d in rows
    ]


def sample_report(n: int = 24 * 730, minutes: int = 60, every: int = 48, **changes: Any) -> ReportInput:
    """A two-year hourly run with some two hundred trades, unless told otherwise."""
    bars = sample_bars(n, minutes)
    trades, equity, exposure = _trades(bars, every, 100_000.0, seed=11)
    fees = float(np.sum(trades["fees"]))
    fields: dict[str, Any] = {
        "strategy": "SmaCross",
        "description": "Long while the fast average is above the slow one, short while it is below.",
        "instruments": ["BTC/USDT"],
        "timeframe": f"{minutes}m" if minutes < 60 else f"{minutes // 60}h",
        "mode": "compiled",
        "currency": "USDT",
        "initial_cash": 100_000.0,
        "bars": bars,
        "equity": equity,
        "exposure": exposure,
        "trades": trades,
        "orders": _orders(trades, minutes * MINUTE),
        "statistics": _statistics(equity, bars.close, trades, n * minutes / 525_600),
        "costs": Costs(
            net=float(equity[-1] - 100_000),
            fees=fees,
            funding=-312.4,
            slippage=1_210.0,
            turnover=fees / 0.0004,
        ),
        "counters": {"ambiguous": 3, "rejected": 9},
        "parameters": {"fast": 10, "slow": 30, "risk": 0.02},
        "configuration": {
            "cash": 100_000.0,
            "fee": 0.0004,
            "slippage": "0.5 bp",
            "timeframe": "1h",
            "leverage": 1.0,
        },
        "provenance": {"data_fingerprint": "blake2b:9f1c7a2e5d", "version": "0.1.0", "rows": n},
        "command": "cashup backtest strategies/examples/sma_cross.py --data binance:BTC/USDT --fee 0.0004",
        "log": [(START + 86_400 * 10**9 * k, f"entered at {27_000 + k}") for k in range(12)],
    }
    return ReportInput(**(fields | changes))
