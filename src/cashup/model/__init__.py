"""What things are: the vocabulary of trading in plain Python. Money is Decimal, time is UTC nanoseconds."""
