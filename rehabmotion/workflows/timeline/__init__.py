"""Plans: several exercises along one timeline, one motion."""
