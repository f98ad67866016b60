"""Synthetic markets: seeded, realistic in their statistics, for demonstrations and tests."""

from cashup.data.synthetic.market import DEMO, SyntheticInstrument, SyntheticMarket, demo_bars

__all__ = ["DEMO", "SyntheticInstrument", "SyntheticMarket", "demo_bars"]
