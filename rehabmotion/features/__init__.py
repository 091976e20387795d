"""Motion <-> model tensor: encode, decode, statistics."""
