"""What looks every few seconds or minutes: alarms, missed work, a changed schema."""
