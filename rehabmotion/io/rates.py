"""Frame rates of text files, whose times are rounded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rehabmotion.errors import UserError


def rate_of_step(step: str) -> float:
    """Return the rate of a frame time as it is written: "0.0333333" is 30, "0.033367" is 29.9697.

    A whole rate is taken where the digits written cannot tell it from one. Not a number, or not positive, raises
    UserError.
    """
    try:
        seconds = float(step)
    except ValueError:
        seconds = float("nan")
    if not 1e-5 <= seconds <= 1e5:
        raise UserError(f"Expected a frame time in seconds, got {step!r}.")
    digits = step.strip().partition(".")[2]
    decimals = len(digits) if digits.isdigit() else 15
    whole = round(1.0 / seconds)
    if whole and abs(1.0 / whole - seconds) <= 0.5 * 10.0**-decimals:
        return float(whole)
    return float(f"{1.0 / seconds:.9g}")


def regular_rate(times: Sequence[float]) -> float:
    """Return the rate of times in seconds that step evenly; one time, or uneven steps, raise UserError.

    A time may be off by a tenth of a step, which leaves room for rounding but not for a lost frame. The rate is kept
    to nine digits, so that the rate which made the times comes back.
    """
    if len(times) < 2:
        raise UserError(f"Expected at least two frames to know the rate, got {len(times)}.")
    t = np.asarray(times, dtype=np.float64)
    step = (t[-1] - t[0]) / (len(t) - 1)
    if not (np.isfinite(t).all() and 1e-5 <= step <= 1e5):
        raise UserError(f"Expected times that grow, in seconds, got {times[0]:g} to {times[-1]:g}.")
    off = np.abs(t - t[0] - step * np.arange(len(t))) / step
    if off.max() > 0.1:
        frame = int(np.argmax(off > 0.1))
        raise UserError(f"Expected even time steps of {step:.4g} s, frame {frame + 1} is off. Resample the recording.")
    return float(f"{1.0 / step:.9g}")
