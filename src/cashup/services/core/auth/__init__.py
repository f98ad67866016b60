"""Signing in: passwords, tokens, sessions, second factor."""
