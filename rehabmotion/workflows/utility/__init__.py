"""Downstream utility: the protocol of folds, its tasks, its figures, and the generator trained in each fold."""
