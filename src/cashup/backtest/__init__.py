"""Runs history: event path, compiled path, results, checks and reports."""
