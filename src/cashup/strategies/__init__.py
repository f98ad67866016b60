"""Strategy templates shipped with CashUp, one short file each."""
