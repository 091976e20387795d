"""Motions put together: body parts laid over one another, one motion leading into the next, feet on the floor."""
