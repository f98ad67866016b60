"""Strategies of users with their versions, and their backtests."""
