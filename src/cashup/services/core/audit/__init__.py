"""The audit log: who changed money, keys, users or settings; append-only, chained by hashes."""
