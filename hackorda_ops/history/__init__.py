"""What a history of the source is: points in it, copies of the source at them, and who may remove those."""
