"""Speaks to venues."""
