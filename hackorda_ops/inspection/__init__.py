"""What is in an artifact, how two of them differ, and its files in a folder."""
