"""How numbers are computed: matching, ledger and statistics, compiled with Numba over plain memory."""
