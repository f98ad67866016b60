"""Backtests: queued, followed, kept, compared."""
