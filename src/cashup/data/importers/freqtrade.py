"""Files freqtrade keeps: feather and JSON named after pair, timeframe and kind of candle."""

from __future__ import annotations

import polars as pl

from cashup.data.datasets import DataKind
from cashup.data.importers.columns import folded
from cashup.data.importers.table import Table


def with_funding_rates(table: Table, kind: DataKind | None) -> Table:
    """Name the funding rates, which freqtrade stores as the open of candles; other files stay as they are."""
    names = {folded(name): name for name in table.frame.columns}
    if kind is not DataKind.FUNDING or "fundingrate" in names or "open" not in names:
        return table
    rates = pl.col(names["open"]).alias("funding_rate")
    time = next(name for key, name in names.items() if key in ("date", "ts"))
    return Table(
        frame=table.frame.select(pl.col(time), rates),
        path=table.path,
        line_of=table.line_of,
        kind=DataKind.FUNDING,
        notes=(*table.notes, "funding rates read from the column open, where freqtrade keeps them"),
    )
