"""Speaking Redis: its protocol, a snapshot over the wire, a server of our own, and what a database holds."""
