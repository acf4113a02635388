"""The proof of a night: its artifact restored from where an emergency would take it, and compared in full."""
