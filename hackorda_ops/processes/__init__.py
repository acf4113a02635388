"""Child processes that never outlive their parent, and workers."""
