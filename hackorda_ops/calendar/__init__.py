"""Which night, week and quarter a moment belongs to, what is due, and whether clocks agree."""
