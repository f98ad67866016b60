"""Clock, bus, identifiers, settings, log: what a process needs to run."""
