"""What the files of several tools, or the larger ones of one, have in them."""
