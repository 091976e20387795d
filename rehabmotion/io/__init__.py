"""One file per format; formats.py lists them."""
