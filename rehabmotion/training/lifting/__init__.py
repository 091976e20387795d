"""Training of the lifter: recorded and simulated joint angles, seen by cameras and detectors that are drawn."""
