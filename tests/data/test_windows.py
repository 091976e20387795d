"""Windows: a worked case, then the properties that define them."""

from hypothesis import given
from hypothesis import strategies as st

from rehabmotion.data.windows import windows


def test_worked_example():
    assert windows(110, 10.0, 5.0) == [(0, 37), (37, 73), (73, 110)]
    assert windows(50, 10.0, 5.0) == [(0, 50)]
    assert windows(51, 10.0, 5.0) == [(0, 26), (26, 51)]


@given(st.integers(1, 20_000), st.sampled_from([10.0, 29.97, 30.0, 120.0]), st.sampled_from([2.0, 5.0, 10.0]))
def test_they_tile_the_clip_equally_and_are_never_too_long(n_frames: int, fps: float, longest_s: float):
    cut = windows(n_frames, fps, longest_s)
    assert [frame for window in cut for frame in range(*window)] == list(range(n_frames))
    lengths = [end - start for start, end in cut]
    assert max(lengths) <= longest_s * fps
    assert max(lengths) - min(lengths) <= 1
    assert len(cut) == 1 or (len(cut) - 1) * int(longest_s * fps) < n_frames  # no fewer would do
