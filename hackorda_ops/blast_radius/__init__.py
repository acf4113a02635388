"""What whoever owns this machine could destroy with its credentials: measured on canaries, in days of data."""
