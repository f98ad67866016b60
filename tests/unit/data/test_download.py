"""Downloads through the real ccxt client and over real sockets, from a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cashup.data.datasets import DatasetKey
from cashup.data.download import Downloader, Progress
from cashup.data.store import Store
from cashup.exchanges.ccxt_history import CcxtHistory
from cashup.model.errors import ExchangeUnavailable, InputError, UnknownNameError
from unit.data.history_server import HOUR, START, HistoryServer

BARS = DatasetKey.bars("binance:BTC/USDT", "1h")
END = START + 10_000 * HOUR


@pytest.fixture
def server() -> HistoryServer:
    return HistoryServer()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def history(server: HistoryServer) -> Iterator[CcxtHistory]:
    with server.running() as url:
        source = CcxtHistory.of("binance", base_url=url)
        source._exchange.set_markets([market("BTC/USDT", "spot"), market("BTC/USDT:USDT", "swap")])
        source._exchange.milliseconds = lambda: END
        yield source
        session = source._exchange.session
        if session is not None:
            session.close()


def market(symbol: str, kind: str) -> dict[str, Any]:
    swap = kind == "swap"
    return {
        "id": "BTCUSDT",
        "symbol": symbol,
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT" if swap else None,
        "baseId": "BTC",
        "quoteId": "USDT",
        "settleId": "USDT" if swap else None,
        "type": kind,
        "spot": not swap,
        "margin": False,
        "swap": swap,
        "future": False,
        "option": False,
        "active": True,
        "contract": swap,
        "linear": swap or None,
        "inverse": False if swap else None,
        "contractSize": 1.0 if swap else None,
        "precision": {"price": 0.01, "amount": 1e-6},
        "limits": {},
        "info": {},
    }


def downloader(store: Store, history: CcxtHistory, waits: list[float] | None = None) -> Downloader:
    return Downloader(store, history, sleep=(waits if waits is not None else []).append)


def test_all_bars_of_several_pages_arrive_once(store: Store, history: CcxtHistory) -> None:
    done = downloader(store, history).run(BARS, START)
    frame = store.read(BARS)
    assert done.rows == len(frame) == 3_000
    assert frame["ts"].to_list() == [START + n * HOUR for n in range(3_000)]
    assert not done.resumed


def test_the_open_bar_is_left_out(store: Store, history: CcxtHistory) -> None:
    history._exchange.milliseconds = lambda: START + 10 * HOUR + 5
    downloader(store, history).run(BARS, START)
    assert store.read(BARS)["ts"][-1] == START + 9 * HOUR


def test_a_second_run_asks_only_for_what_is_missing(
    store: Store, history: CcxtHistory, server: HistoryServer
) -> None:
    downloader(store, history).run(BARS, START + 500 * HOUR, START + 1_500 * HOUR)
    asked = len(server.requests)
    done = downloader(store, history).run(BARS, START, START + 2_000 * HOUR)
    assert done.resumed
    assert store.read(BARS)["ts"].to_list() == [START + n * HOUR for n in range(2_000)]
    assert len(server.requests) - asked <= 4


def test_a_gap_of_the_venue_is_stepped_over(store: Store) -> None:
    server = HistoryServer(gap=range(600, 1_400))
    with server.running() as url:
        source = CcxtHistory.of("binance", base_url=url)
        source._exchange.set_markets([market("BTC/USDT", "spot")])
        source._exchange.milliseconds = lambda: END
        downloader(store, source).run(BARS, START)
        source._exchange.session.close()
    assert len(store.read(BARS)) == 3_000 - 800


def test_a_venue_that_asks_to_slow_down_is_obeyed(
    store: Store, history: CcxtHistory, server: HistoryServer
) -> None:
    server.fault = lambda number: (429, {"Retry-After": "7"}) if number == 2 else None
    waits: list[float] = []
    done = downloader(store, history, waits).run(BARS, START)
    assert waits == [7.0]
    assert done.waits == 1
    assert len(store.read(BARS)) == 3_000


def test_what_came_before_a_lost_connection_is_kept_and_resumed(
    store: Store, history: CcxtHistory, server: HistoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cashup.data.download.PAGES_PER_WRITE", 1)
    server.fault = lambda number: "reset" if number > 3 else None
    with pytest.raises(ExchangeUnavailable):
        downloader(store, history).run(BARS, START)
    kept = len(store.read(BARS))
    assert kept == 1_500
    server.fault = lambda number: None
    done = downloader(store, history).run(BARS, START)
    assert done.resumed
    assert len(store.read(BARS)) == 3_000


def test_progress_is_told(store: Store, history: CcxtHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cashup.data.download.PAGES_PER_WRITE", 1)
    seen: list[Progress] = []
    Downloader(store, history, progress=seen.append).run(BARS, START, START + 3_000 * HOUR)
    assert [p.rows for p in seen] == sorted(p.rows for p in seen)
    assert seen[-1].share > 0.99
    assert seen[0].seconds_left is not None


def test_trades_of_one_moment_are_not_cut_at_a_page(store: Store, history: CcxtHistory) -> None:
    key = DatasetKey.trades("binance:BTC/USDT")
    downloader(store, history).run(key, START)
    assert store.read(key)["id"].to_list() == [str(n) for n in range(2_000)]


def test_funding_rates(store: Store, history: CcxtHistory) -> None:
    key = DatasetKey.funding("binance:BTC/USDT:USDT")
    downloader(store, history).run(key, START)
    frame = store.read(key)
    assert len(frame) == 90
    assert frame["funding_rate"][3] == pytest.approx(0.0003)


def test_an_unknown_instrument_and_an_empty_span_are_refused(store: Store, history: CcxtHistory) -> None:
    with pytest.raises(UnknownNameError, match="BTC/USDT"):
        downloader(store, history).run(DatasetKey.bars("binance:BTX/USDT", "1h"), START)
    with pytest.raises(InputError, match="since"):
        downloader(store, history).run(BARS, START + HOUR, START)
    assert not store.exists(BARS)


def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="binance"):
        CcxtHistory.of("binanse")
