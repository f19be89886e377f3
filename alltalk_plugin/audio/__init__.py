"""From chunks to a stored stream."""
