"""Where a drill restores, and the history behind it."""
