"""The yearly recovery exercise, and the check of the provider's history."""
