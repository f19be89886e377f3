"""From a raw reply to segments: pure, incremental."""
