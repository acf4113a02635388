"""The weekly copy off-site."""
