"""Reading and writing bytes, as every format uses them."""

from rehabmotion.files import MAX_BYTES, read_bytes, read_table, read_text, write_atomic

__all__ = ["MAX_BYTES", "read_bytes", "read_table", "read_text", "write_atomic"]
