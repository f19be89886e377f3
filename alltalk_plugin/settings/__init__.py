"""Settings: a YAML file in, frozen sections out, and changes written back without losing comments."""
