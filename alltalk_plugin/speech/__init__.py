"""The path of a reply: segments, voices, plan, leases, audio. Orchestration only."""
