"""Download history page by page into the store; what was written stays when it is interrupted, and is resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from cashup.data.datasets import DataKind, DatasetKey
from cashup.data.schema import SCHEMAS
from cashup.data.store import Store
from cashup.model.errors import ExchangeUnavailable, InputError, explain
from cashup.model.time import NS_PER_MS, Timeframe

Row = tuple[int | float | str, ...]

ATTEMPTS: Final = 8
"""Times a page is asked for before the venue counts as unreachable."""
LONGEST_WAIT: Final = 60.0
PAGES_PER_WRITE: Final = 20


class HistorySource(Protocol):
    """Where history comes from. Rows are in order of time and have the columns of their kind.

    Attributes:
        page_size: Most rows one page holds.
    """

    page_size: int

    def page(self, key: DatasetKey, since_ms: int) -> list[Row]:
        """Return the rows from `since_ms` on, at most a page; none when there are none from there on.

        Raises:
            ExchangeUnavailable: try again later.
            InputError: the venue has no such instrument or kind.
        """

    def now_ms(self) -> int:
        """Return the venue's time, ms UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a download is.

    Attributes:
        rows: Rows received in this run.
        at_ms: Time of the last one.
        since_ms, until_ms: The span asked for.
        elapsed: Seconds since it began.
    """

    rows: int
    at_ms: int
    since_ms: int
    until_ms: int
    elapsed: float

    @property
    def share(self) -> float:
        """Part of the span that is done, 0 to 1."""
        span = max(1, self.until_ms - self.since_ms)
        return min(1.0, max(0.0, (self.at_ms - self.since_ms) / span))

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time to go; None at the start."""
        return self.elapsed * (1.0 / self.share - 1.0) if self.share > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What a download did.

    Attributes:
        key: The dataset.
        rows: Rows received.
        first_ms, last_ms: Times of the first and last of them; None when there were none.
        resumed: Whether it went on from what was stored.
        waits: How often it had to wait for the venue.
    """

    key: DatasetKey
    rows: int
    first_ms: int | None
    last_ms: int | None
    resumed: bool
    waits: int


class Downloader:
    """Fills a store from a source.

    Args:
        store: Where rows go.
        source: Where they come from.
        sleep: How to wait, in seconds.
        progress: Told after every page.
    """

    def __init__(
        self,
        store: Store,
        source: HistorySource,
        *,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._store = store
        self._source = source
        self._sleep = sleep
        self._progress = progress
        self._waits = 0

    def run(self, key: DatasetKey, since_ms: int, until_ms: int | None = None) -> Downloaded:
        """Download rows with since <= ts < until that are not stored yet; the bar still open is left out.

        Raises:
            ExchangeUnavailable: the venue stayed unreachable; what came before is stored.
            InputError: the span is empty, or the venue does not know the instrument.
        """
        now = self._source.now_ms()
        until = min(until_ms if until_ms is not None else now, now)
        if since_ms >= until:
            raise InputError(
                explain(
                    f"nothing lies between {since_ms} and {until}",
                    expected="since before until and before now",
                ),
                field="since",
            )
        self._waits = 0
        spans = self._missing(key, since_ms, until)
        resumed = spans != [(since_ms, until)]
        rows, first, last = 0, None, None
        started = time.monotonic()
        for start, end in spans:
            for frame in self._frames(key, start, end, now):
                self._store.append(key, frame)
                rows += len(frame)
                low, high = int(frame["ts"][0]), int(frame["ts"][-1])
                first = low if first is None else min(first, low)
                last = high if last is None else max(last, high)
                if self._progress is not None:
                    elapsed = time.monotonic() - started
                    self._progress(
                        Progress(rows=rows, at_ms=high, since_ms=start, until_ms=end, elapsed=elapsed)
                    )
        return Downloaded(
            key=key, rows=rows, first_ms=first, last_ms=last, resumed=resumed, waits=self._waits
        )

    def _missing(self, key: DatasetKey, since: int, until: int) -> list[tuple[int, int]]:
        """Return the spans before and after what is stored."""
        if not self._store.exists(key):
            return [(since, until)]
        stored = self._store.read(key)
        if stored.is_empty():
            return [(since, until)]
        first, last = int(stored["ts"][0]), int(stored["ts"][-1])
        spans = []
        if since < first:
            spans.append((since, min(first, until)))
        if until > last:
            # The last stored moment is asked for again: trades of one millisecond may have been cut there.
            spans.append((max(since, last), until))
        return spans

    def _frames(self, key: DatasetKey, since: int, until: int, now: int) -> Iterator[pl.DataFrame]:
        """Yield checked rows, some pages at a time."""
        collected: list[Row] = []
        for count, page in enumerate(self._pages(key, since, until), start=1):
            collected += [row for row in page if self._is_wanted(key, int(row[0]), since, until, now)]
            if count % PAGES_PER_WRITE == 0 and collected:
                yield _frame(key.kind, collected)
                collected = []
        if collected:
            yield _frame(key.kind, collected)

    def _pages(self, key: DatasetKey, since: int, until: int) -> Iterator[list[Row]]:
        cursor = since
        seen: set[Row] = set()
        while cursor < until:
            page = self._page(key, cursor)
            fresh = [row for row in page if int(row[0]) >= cursor and row not in seen]
            if fresh:
                yield fresh
                last = int(fresh[-1][0])
                # Rows that share the last moment may be cut by the page's end: ask for it again, drop the known.
                seen = {row for row in page if int(row[0]) == last}
                cursor = self._after(key, last)
            elif page and len(page) >= self._source.page_size:
                cursor += 1  # a whole page of one moment: the venue shows no more of it
            else:
                cursor = self._beyond(key, cursor)
                if cursor >= until:
                    return

    def _after(self, key: DatasetKey, last: int) -> int:
        if key.timeframe is not None:
            return _next_open(key.timeframe, last)
        return last if key.kind is DataKind.TRADES else last + 1

    def _beyond(self, key: DatasetKey, cursor: int) -> int:
        """Return where to look after an empty page: venues that answer by windows may have a gap there."""
        if key.timeframe is None or not key.timeframe.is_fixed:
            return 2**62
        return cursor + self._source.page_size * (key.timeframe.duration_ns // NS_PER_MS)

    def _is_wanted(self, key: DatasetKey, ts: int, since: int, until: int, now: int) -> bool:
        if not since <= ts < until:
            return False
        return key.timeframe is None or _next_open(key.timeframe, ts) <= now

    def _page(self, key: DatasetKey, since: int) -> list[Row]:
        for attempt in range(ATTEMPTS):
            try:
                return self._source.page(key, since)
            except ExchangeUnavailable as e:
                if attempt == ATTEMPTS - 1:
                    raise
                self._waits += 1
                asked = None if e.retry_after_ns is None else e.retry_after_ns / 1e9
                self._sleep(min(LONGEST_WAIT, 0.5 * 2.0**attempt) if asked is None else asked)
        raise AssertionError("the last attempt returns or raises")


def _next_open(timeframe: Timeframe, ts_ms: int) -> int:
    return timeframe.next_open(ts_ms * NS_PER_MS) // NS_PER_MS


def _frame(kind: DataKind, rows: list[Row]) -> pl.DataFrame:
    unique = list(dict.fromkeys(rows))
    return pl.DataFrame(unique, schema=SCHEMAS[kind], orient="row").sort("ts", maintain_order=True)
