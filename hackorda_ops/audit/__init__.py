"""For an auditor: what the receipts of a period say, and what is missing from them."""
