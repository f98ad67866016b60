"""Who wants to hear what, when and how often."""
