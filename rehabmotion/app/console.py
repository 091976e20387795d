"""What goes to the terminal: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

messages = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a message for people, as it is."""
    messages.print(text, markup=False)


def fail(text: str) -> None:
    """Print the one line of a mistake."""
    print(f"error: {' '.join(str(text).split())}", file=sys.stderr)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A progress bar with the time left, on standard error."""
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=messages) as bar:
        yield bar
