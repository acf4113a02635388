"""Where artifacts lie: a folder or a bucket."""
