"""What is known of an artifact: one answer, which every command, page and alarm asks."""
