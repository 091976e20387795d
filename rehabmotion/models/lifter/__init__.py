"""From points in images to a moving skeleton: the network that lifts, its input and its body."""
