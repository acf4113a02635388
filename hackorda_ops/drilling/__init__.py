"""What every drill writes down: its record, its result, and what a check declares."""
