"""Pictures of mocap bodies for networks to learn from: round cones before a room, no licensed body model, no GPU."""
