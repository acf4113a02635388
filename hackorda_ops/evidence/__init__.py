"""The comparisons: the source, the archive and a restored copy, each with the manifest."""
