"""Studies: comparisons that take long, one command each, resumable. A new one is one file and one line in STUDIES."""
