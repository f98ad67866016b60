"""What identifies a run: code, parameters, data and options, hashed into one id."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from typing import Any

from cashup.backtest.market import MarketData
from cashup.engine.strategy import Strategy
from cashup.version import __version__


def source_hash(strategy: type[Strategy]) -> str:
    """Return a hash of the source of a strategy and the strategies it inherits from."""
    digest = hashlib.sha256()
    for part in strategy.__mro__:
        if part is Strategy:
            break
        try:
            text = inspect.getsource(part)
        except (OSError, TypeError):
            text = part.__qualname__  # typed into an interactive session: only its name is known
        digest.update(text.encode())
    return digest.hexdigest()[:16]


def data_hash(market: MarketData) -> str:
    """Return a hash of every number the run is given."""
    digest = hashlib.sha256()
    for item in market.instruments:
        digest.update(item.name.encode())
        for table in (item.bars, item.detail):
            if table is not None:
                for name in ("open_ts", "open", "high", "low", "close", "volume"):
                    digest.update(getattr(table, name).tobytes())
        for values in (item.mark, item.funding_ts, item.funding_rate, item.funding_mark):
            if values is not None:
                digest.update(values.tobytes())
    return digest.hexdigest()[:16]


def run_id(parts: Mapping[str, Any]) -> str:
    """Return one id for everything that decides a result; equal ids mean equal results."""
    text = json.dumps({"engine": __version__, **parts}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
