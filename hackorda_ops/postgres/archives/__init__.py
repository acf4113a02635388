"""A dump on disk: its table of contents, its reader, the rows' digests."""
