"""Settings that override files and environment, with their versions."""
