"""One ordinary video in, 3D kinematics out."""
