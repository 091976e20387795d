"""Progress on a pipe: a line per tenth, the time left counted from the first step."""

import pytest

from rehabmotion.app import console


def test_lines_tell_the_step_and_what_is_left_from_the_second_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preparing took an hour, each step a minute: nine steps are left after the first, nine minutes."""
    clock = iter([3600.0, 3600.0, 3660.0, 3720.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.progress("training") as report:
        for step in (1, 2, 3):
            report(step, 10, "loss 1")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training 1/10, loss 1",
        "training 2/10, loss 1, 8.0 min left",
        "training 3/10, loss 1, 7.0 min left",
    ]
