"""What servers and programs say, without rows and secrets."""
