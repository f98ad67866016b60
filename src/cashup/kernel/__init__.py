"""How numbers are computed: matching, ledger and statistics, compiled with Numba over plain memory.

Importing this package costs nothing; its modules import Numba.
"""
