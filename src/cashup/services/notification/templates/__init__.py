"""How a message reads, per event, language and channel."""
