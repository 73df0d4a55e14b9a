"""The whole shop in a simulated world: production's own code, one seed, one thread, any fault at any place."""
