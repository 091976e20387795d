"""What goes to the terminal: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Report = Callable[[int, int, str], None]  # steps done, of how many, a note


def say(text: str) -> None:
    """Print a message for people, as it is."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> None:
    """Print the one line of a mistake."""
    say(f"error: {' '.join(text.split())}")


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """Yield a function that shows how far the work is and the time left: a bar in a terminal, else a line per tenth.

    Nothing is printed before its first call, so that a mistake found on the way stays a single line.
    """
    bar: Progress | None = None
    tenth, started = -1, 0.0
    first: int | None = None
    terminal = Console(stderr=True, highlight=False)

    def report(done: int, total: int, note: str) -> None:
        nonlocal bar, tenth, first, started
        if first is None:  # a resumed run does not start at 0, and what came before the first step is no step
            first, started = done, time.monotonic()
        if terminal.is_terminal:
            if bar is None:
                bar = Progress(*_columns(title), console=terminal)
                bar.add_task("", total=total, note="")
                bar.start()
            bar.update(bar.task_ids[0], completed=done, note=note)
        elif 10 * done // total != tenth:
            tenth = 10 * done // total
            left = (time.monotonic() - started) / max(done - first, 1) * (total - done) / 60
            say(f"{title} {done}/{total}, {note}" + (f", {left:.1f} min left" if done > first else ""))

    try:
        yield report
    finally:
        if bar is not None:
            bar.stop()


def _columns(title: str) -> list[ProgressColumn]:
    done: list[ProgressColumn] = [TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    return [*done, TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[note]}")]
