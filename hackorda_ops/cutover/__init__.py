"""Moving a database to another server for good: rehearsed, then step by step, with a way back."""
