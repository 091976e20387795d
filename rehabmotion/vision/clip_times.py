"""Times that rise from 0, whatever a file's clock says."""

from __future__ import annotations

RESTART = 1.0  # s: a clock that goes back further has begun anew, as where recordings were joined


class RisingTimes:
    """Gives each frame its time, s: that of its presentation, the first at 0.

    - A frame without a time comes one interval (1 / declared rate) after the frame before it.
    - A frame that is not later than the one before it is left out: its place is taken.
    - Where the clock goes back by more than a second it began anew: the frames go on one interval later.

    Gaps stay: a phone in poor light, a screen recording at rest.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._origin: float | None = None
        self._last: float | None = None
        self.n_untimed = self.n_left_out = self.n_restarts = 0

    @property
    def last(self) -> float | None:
        """The time of the last frame that was placed; None: no frame yet."""
        return self._last

    def place(self, clock: float | None) -> float | None:
        """Return the time of the next frame, None: leave it out. clock: what the file says, None: nothing."""
        if clock is None:
            self.n_untimed += 1
            time = self._next()
        elif self._origin is None:
            time = self._next()
            self._origin = clock - time
        else:
            time = clock - self._origin
            if self._last is not None and time < self._last - RESTART:
                self.n_restarts += 1
                time = self._next()
                self._origin = clock - time
        if self._last is not None and time <= self._last:
            self.n_left_out += 1
            return None
        self._last = time
        return time

    def _next(self) -> float:
        return 0.0 if self._last is None else self._last + self._interval

    def warnings(self) -> list[str]:
        """Return a line for each thing that was not as it should be."""
        lines = []
        if self.n_untimed:
            lines.append(
                f"Frames without a time: {self.n_untimed}; each is put {self._interval:.4g} s after the one before."
            )
        if self.n_left_out:
            lines.append(f"Frames left out, being no later than the one before: {self.n_left_out}.")
        if self.n_restarts:
            lines.append(f"Times the clock begins anew: {self.n_restarts}; the frames go on one interval later.")
        return lines
