"""Binance's public archive: zipped months and days over HTTP, each verified by its checksum file."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from cashup.data.datasets import DataKind, DatasetKey, MarketType
from cashup.data.importers import read_file
from cashup.data.store import Store
from cashup.model.errors import DataError, ExchangeUnavailable, InputError, explain
from cashup.model.ids import split_instrument_id

BASE_URL: Final = "https://data.binance.vision"
ATTEMPTS: Final = 6
TIMEOUT_SECONDS: Final = 30.0
_CHUNK: Final = 1 << 16
_FOLDERS: Final = {
    MarketType.SPOT: "spot",
    MarketType.LINEAR: "futures/um",
    MarketType.INVERSE: "futures/cm",
}
_KINDS: Final = {DataKind.BARS: "klines", DataKind.TRADES: "aggTrades", DataKind.FUNDING: "fundingRate"}


class Archive:
    """Downloads periods of the archive into a store.

    Args:
        store: Where rows go.
        folder: Where files are kept while they are read.
        base_url: The archive, or a mirror of it.
        sleep: How to wait between attempts, in seconds.
        progress: Told the name and the rows of every period stored.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        base_url: str = BASE_URL,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str, int], None] | None = None,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise InputError(explain(f"{base_url!r} is no web address", expected="http:// or https://"))
        self._store = store
        self._folder = folder
        self._base = base_url.rstrip("/")
        self._sleep = sleep
        self._progress = progress

    def run(self, key: DatasetKey, since: date, until: date) -> tuple[int, list[str]]:
        """Store the periods from `since` up to but without `until`; whole months first, then single days.

        Periods that are stored already are not fetched again.

        Returns:
            Rows stored, and the names of periods the archive does not have.

        Raises:
            DataError: a file does not fit its checksum, or is damaged; nothing of it is stored.
            ExchangeUnavailable: the archive cannot be reached.
            InputError: the archive keeps no such data.
        """
        if key.kind not in _KINDS:
            raise InputError(
                explain(f"the archive has no {key.kind.value}", expected="bars, trades or funding")
            )
        rows, absent = 0, []
        done = self._stored_until(key)
        for start, end, whole_month in periods(since, until):
            # A file is stored whole or not at all: its last day being there means that it is.
            if done is not None and end - timedelta(days=1) <= done:
                continue
            found = self._period(key, start, whole_month=whole_month)
            if found is None and whole_month and key.kind is not DataKind.FUNDING:
                days = [start + timedelta(days=n) for n in range((end - start).days)]
                counts = [(day, self._period(key, day, whole_month=False)) for day in days]
                rows += sum(count for _, count in counts if count is not None)
                absent += [day.isoformat() for day, count in counts if count is None]
            elif found is None:
                absent.append(start.isoformat()[: 7 if whole_month else 10])
            else:
                rows += found
        return rows, absent

    def _stored_until(self, key: DatasetKey) -> date | None:
        if not self._store.exists(key):
            return None
        stored = self._store.read(key)
        return None if stored.is_empty() else datetime.fromtimestamp(int(stored["ts"][-1]) / 1000, UTC).date()

    def _period(self, key: DatasetKey, start: date, *, whole_month: bool) -> int | None:
        """Store one period and return its rows, None when the archive does not have it."""
        name, path = file_of(key, start, whole_month=whole_month)
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / name
        checksum = self._text(f"{path}.CHECKSUM")
        if checksum is None or not self._fetch(path, target):
            return None
        expected = checksum.split()[0].lower() if checksum.split() else ""
        actual = hashlib.sha256(target.read_bytes()).hexdigest()
        if actual != expected:
            target.unlink()
            raise DataError(
                f"the file does not fit its checksum: {actual[:12]}… instead of {expected[:12]}…",
                path=Path(name),
                hint="it was removed; download again",
            )
        frame = read_file(target, kind=key.kind, timeframe=key.timeframe).frame
        self._store.append(key, frame)
        target.unlink()
        if self._progress is not None:
            self._progress(name, len(frame))
        return len(frame)

    def _text(self, path: str) -> str | None:
        for attempt in range(ATTEMPTS):
            try:
                with self._open(path) as answer:
                    return str(answer.read(4096).decode("utf-8", "replace"))
            except urllib.error.HTTPError as e:
                if e.code == 404:
                    return None
                self._wait(path, attempt, e)
            except OSError as e:
                self._wait(path, attempt, e)
        raise AssertionError("the last attempt raises")

    def _fetch(self, path: str, target: Path) -> bool:
        """Download a file, going on where an earlier attempt broke off; False when it is not there."""
        part = target.with_suffix(target.suffix + ".part")
        for attempt in range(ATTEMPTS):
            have = part.stat().st_size if part.exists() else 0
            try:
                with self._open(path, start=have) as answer:
                    mode = "ab" if have and answer.status == 206 else "wb"
                    expected = int(answer.headers.get("Content-Length") or 0)
                    written = 0
                    with part.open(mode) as out:
                        while chunk := answer.read(_CHUNK):
                            out.write(chunk)
                            written += len(chunk)
                if expected and written < expected:
                    raise OSError(f"the connection closed after {written} of {expected} bytes")
                part.replace(target)
                return True
            except urllib.error.HTTPError as e:
                if e.code == 404:
                    return False
                if e.code == 416:  # the part is as long as the file: begin again
                    part.unlink(missing_ok=True)
                self._wait(path, attempt, e)
            except OSError as e:
                self._wait(path, attempt, e)
        raise AssertionError("the last attempt raises")

    def _open(self, path: str, start: int = 0):  # type: ignore[no-untyped-def]  # urllib's answer has no public type
        headers = {"User-Agent": "cashup"} | ({"Range": f"bytes={start}-"} if start else {})
        request = urllib.request.Request(f"{self._base}/{path}", headers=headers)  # noqa: S310 (checked above)
        return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310

    def _wait(self, path: str, attempt: int, error: Exception) -> None:
        retry = error.headers.get("Retry-After") if isinstance(error, urllib.error.HTTPError) else None
        if attempt == ATTEMPTS - 1:
            raise ExchangeUnavailable(
                f"the archive did not deliver {path}: {error}", venue="binance"
            ) from error
        self._sleep(float(retry) if retry and retry.isdigit() else 0.5 * 2.0**attempt)


def file_of(key: DatasetKey, start: date, *, whole_month: bool) -> tuple[str, str]:
    """Return the name and the path of the archive's file for a month or a day."""
    symbol = split_instrument_id(key.name)[1]
    pair = f"{symbol.base}{symbol.quote}" + ("_PERP" if key.market_type is MarketType.INVERSE else "")
    kind = _KINDS[key.kind]
    stamp = f"{start:%Y-%m}" if whole_month else f"{start:%Y-%m-%d}"
    span = "monthly" if whole_month else "daily"
    middle = str(key.timeframe) if key.kind is DataKind.BARS else kind
    name = f"{pair}-{middle}-{stamp}.zip"
    inner = f"{pair}/{middle}" if key.kind is DataKind.BARS else pair
    return name, f"data/{_FOLDERS[key.market_type]}/{span}/{kind}/{inner}/{name}"


def periods(since: date, until: date) -> Iterator[tuple[date, date, bool]]:
    """Yield whole months where they fit and single days elsewhere: start, end (without it), whether a month."""
    at = since
    while at < until:
        month_end = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
        if at.day == 1 and month_end <= until:
            yield at, month_end, True
            at = month_end
        else:
            yield at, at + timedelta(days=1), False
            at += timedelta(days=1)
