"""What delete markers and later versions hide in a bucket that keeps versions: found, read, and brought back."""
