"""Everything that the policy needs, held against the real thing, with a remedy for each."""
