"""Receipts: every verdict as a signed statement, chained to the one before it, beside the artifacts."""
