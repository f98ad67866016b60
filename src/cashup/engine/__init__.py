"""One trading engine for backtest, paper and live. No I/O, no async."""
