"""Judging generated motion: the sides of the comparison, what is measured on them, the report."""
