"""Where engines run: the service's own environment, or one made for the engine in the data folder."""
