"""Keeps history: store, import, download, quality, synthetic markets."""
