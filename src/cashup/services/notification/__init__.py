"""Telling people: what happened, over their own channels, in their language, exactly once where they can see it."""
