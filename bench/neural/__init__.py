"""Neural engines against the same work without us: in one process, and in the servers they bring."""
