"""Performance figures: plain formulas over arrays, each with its source. No compilation, only NumPy."""
