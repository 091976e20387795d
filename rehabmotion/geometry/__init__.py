"""Rotations, filters and resampling: pure functions on NumPy arrays, time first."""
