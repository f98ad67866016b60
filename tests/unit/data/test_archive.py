"""The public archive over real sockets: checksums, broken connections, periods it does not have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cashup.data.archive import Archive, file_of, periods
from cashup.data.datasets import DatasetKey
from cashup.data.store import Store
from cashup.model.errors import DataError, ExchangeUnavailable, InputError
from unit.data.history_server import HOUR, START, HistoryServer, bar

KEY = DatasetKey.bars("binance:BTC/USDT", "1h")
JANUARY = "/data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01.zip"


def day_path(day: int) -> str:
    return f"/data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-02-{day:02d}.zip"


@pytest.fixture
def server() -> HistoryServer:
    served = HistoryServer(bars=0)
    served.archive(JANUARY, [bar(n) for n in range(744)])
    for day in (1, 2):
        served.archive(day_path(day), [bar(744 + 24 * (day - 1) + n) for n in range(24)])
    return served


@pytest.fixture
def archive(server: HistoryServer, tmp_path: Path) -> Iterator[Archive]:
    with server.running() as url:
        store = Store(tmp_path / "store")
        yield Archive(store, tmp_path / "files", base_url=url, sleep=lambda seconds: None)


def stored(tmp_path: Path) -> list[int]:
    return Store(tmp_path / "store").read(KEY)["ts"].to_list()


def test_months_and_days_arrive_and_what_is_absent_is_said(archive: Archive, tmp_path: Path) -> None:
    rows, absent = archive.run(KEY, date(2024, 1, 1), date(2024, 2, 4))
    assert rows == 744 + 48
    assert absent == ["2024-02-03"]
    assert stored(tmp_path) == [START + n * HOUR for n in range(792)]
    assert not list((tmp_path / "files").iterdir())


def test_a_month_that_is_not_out_yet_is_taken_by_days(
    archive: Archive, server: HistoryServer, tmp_path: Path
) -> None:
    rows, absent = archive.run(KEY, date(2024, 2, 1), date(2024, 3, 1))
    assert rows == 48
    assert len(absent) == 27


def test_a_second_run_fetches_nothing_that_is_stored(archive: Archive, server: HistoryServer) -> None:
    archive.run(KEY, date(2024, 1, 1), date(2024, 2, 1))
    server.requests.clear()
    archive.run(KEY, date(2024, 1, 1), date(2024, 2, 2))
    assert not any("2024-01" in path for path in server.requests)


def test_a_wrong_checksum_stores_nothing(archive: Archive, server: HistoryServer, tmp_path: Path) -> None:
    server.archive(JANUARY, [bar(n) for n in range(10)], checksum="0" * 64)
    with pytest.raises(DataError, match="checksum"):
        archive.run(KEY, date(2024, 1, 1), date(2024, 2, 1))
    assert not Store(tmp_path / "store").exists(KEY)
    assert not list((tmp_path / "files").iterdir())


def test_a_broken_download_goes_on_where_it_stopped(
    archive: Archive, server: HistoryServer, tmp_path: Path
) -> None:
    server.fault = lambda number: "cut" if number == 2 else None
    rows, _ = archive.run(KEY, date(2024, 1, 1), date(2024, 2, 1))
    assert rows == 744


def test_an_unreachable_archive_is_said(archive: Archive, server: HistoryServer) -> None:
    server.fault = lambda number: (503, {})
    with pytest.raises(ExchangeUnavailable, match="did not deliver"):
        archive.run(KEY, date(2024, 1, 1), date(2024, 2, 1))


def test_kinds_the_archive_lacks_are_refused(archive: Archive) -> None:
    with pytest.raises(InputError, match="no mark"):
        archive.run(DatasetKey.mark("binance:BTC/USDT:USDT", "1h"), date(2024, 1, 1), date(2024, 2, 1))


def test_periods_and_names() -> None:
    spans = list(periods(date(2024, 1, 30), date(2024, 3, 3)))
    assert [(s.isoformat(), whole) for s, _, whole in spans] == [
        ("2024-01-30", False),
        ("2024-01-31", False),
        ("2024-02-01", True),
        ("2024-03-01", False),
        ("2024-03-02", False),
    ]
    perpetual = DatasetKey.funding("binance:BTC/USDT:USDT")
    path = "data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-01.zip"
    assert file_of(perpetual, date(2024, 1, 1), whole_month=True)[1] == path
