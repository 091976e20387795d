"""Training: one explicit loop, EMA, run folders."""
