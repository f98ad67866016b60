"""Four services that know of each other only by messages: core, trading, strategy, notification."""
