"""Speaking Postgres: connections, TLS, client tools, child processes, inventory, dump, restore."""
