"""Recovery to a point in time: a branch, the team's hooks on it, and its promotion to the primary."""
