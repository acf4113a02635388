"""The first configuration of a database: proposed from a look at it, and written without overwriting anything."""
