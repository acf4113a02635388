"""What is written in C for speed: optional, and equal to the Python that takes its place where it wasn't built."""
