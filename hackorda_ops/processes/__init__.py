"""Child processes that outlive nobody, and workers."""
