"""Composition root: command line and, later, the API."""
