"""Motion: what it accepts, and what it refuses in one line."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.motion import Motion, Score, Skeleton


@pytest.fixture
def clip(standing: NDArray[np.float64]) -> Motion:
    return Motion(np.repeat(standing[None], 30, axis=0), 60.0, text="stand", meta={"side": "left", "subject": "s01"})


def test_a_motion_knows_its_length_its_joints_and_that_all_of_it_is_valid(clip: Motion) -> None:
    assert (clip.n_frames, clip.seconds, clip.fps) == (30, 0.5, 60.0)
    assert clip.positions.dtype == np.float32
    assert clip.valid.shape == (30, 22)
    assert clip.valid.all()
    assert np.allclose(clip.joint("left_hip")[0], [0.09, 0.84, 0.0])


def test_meta_has_its_keys_and_a_change_is_merged_into_it(clip: Motion) -> None:
    changed = clip.but(meta={"side": "right", "note": 3}, text="t")
    assert clip.meta["side"] == "left"
    assert (changed.meta["side"], changed.meta["subject"], changed.meta["note"]) == ("right", "s01", 3)
    assert clip.meta["seed"] is None
    assert np.array_equal(changed.positions, clip.positions)


def test_scores_become_a_tuple(clip: Motion) -> None:
    assert clip.but(scores=[Score("fms", 2)]).scores == (Score("fms", 2),)


@pytest.mark.filterwarnings("error")  # a warning would be a second line
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"positions": np.zeros((22, 3))}, "got (22, 3)"),
        ({"positions": np.zeros((5, 21, 3))}, "got (5, 21, 3)"),
        ({"positions": np.zeros((0, 22, 3))}, "got none"),
        ({"positions": np.full((5, 22, 3), np.nan)}, "frame 0"),
        ({"positions": np.full((5, 22, 3), np.inf)}, "frame 0"),
        ({"positions": np.full((5, 22, 3), 1e300)}, "frame 0"),
        ({"fps": 0.0}, "got 0.0"),
        ({"fps": -30.0}, "got -30.0"),
        ({"fps": float("nan")}, "got nan"),
        ({"fps": 1e9}, "fps"),
        ({"valid": np.ones((30, 21), bool)}, "valid"),
        ({"valid": np.ones((30, 22))}, "bool"),
    ],
)
def test_what_is_no_motion_is_refused_in_one_line(clip: Motion, changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match="Expected") as caught:
        clip.but(**{"valid": None, **changes})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_frame_of_a_bad_number_is_named(clip: Motion) -> None:
    positions = clip.positions.copy()
    positions[17, 3, 1] = np.nan
    with pytest.raises(UserError, match="frame 17"):
        clip.but(positions=positions)


def test_an_error_that_quotes_line_breaks_stays_one_line() -> None:
    """A joint name with a line break once made a message of two lines."""
    assert str(UserError("a\nb\r\nc\u2028d")) == "a b c d"


def test_a_motion_on_another_skeleton() -> None:
    stick = Motion(np.zeros((2, 2, 3)), 10, Skeleton(("hip", "knee"), (-1, 0)))
    assert stick.joint("knee").shape == (2, 3)
    with pytest.raises(UserError, match="Known joints: hip, knee"):
        stick.joint("ankle")
