"""The restore drill: its steps, comparisons, verdict and report."""
