"""Messages of servers and programs, without rows and secrets."""
