"""From a strategy's Python methods to one compiled entry over plain memory.

Importing this package costs nothing; `cashup.kernel.compiling.compiler` imports Numba.
"""
