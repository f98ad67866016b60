"""Synthetic markets: seeded, realistic in their statistics, for demonstrations and tests."""

from cashup.data.synthetic.market import DEMO, DEMO_SEED, SyntheticInstrument, SyntheticMarket, demo_bars

__all__ = ["DEMO", "DEMO_SEED", "SyntheticInstrument", "SyntheticMarket", "demo_bars"]
