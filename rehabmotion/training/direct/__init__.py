"""Training of the direct networks on labelled frames: batches, and the networks as what the loop trains."""
