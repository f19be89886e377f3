"""The only place that knows pluggy: hook specs, guarded manager, registries."""
