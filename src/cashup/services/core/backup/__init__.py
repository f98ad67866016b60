"""Backups: made, encrypted, verified by restoring."""
