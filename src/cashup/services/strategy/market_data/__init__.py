"""Stored market data: what there is, how good it is, and bars for charts."""
