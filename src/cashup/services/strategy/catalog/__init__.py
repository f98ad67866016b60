"""Strategies and their versions."""
