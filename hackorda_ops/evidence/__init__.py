"""What is held against what: the source, the archive and a restored copy against the manifest."""
