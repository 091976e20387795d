"""Cells to points: what is missing, what is wrong, and in which line."""

import numpy as np
import pytest

from rehabmotion.errors import UserError
from rehabmotion.io.points import LONGEST_LINE, numbered_lines, read_points, skeleton_of
from rehabmotion.motion import CANONICAL


def test_missing_points_are_masked_and_bridged() -> None:
    rows = [(2, ["0", "1", "2", "3"]), (3, ["1", "", " ", ""]), (5, ["2", "3", "2", "5"])]
    leading, positions, valid = read_points(rows, 1, 1)
    assert leading[:, 0].tolist() == [0, 1, 2]
    assert valid[:, 0].tolist() == [True, False, True]
    assert positions[:, 0].tolist() == [[1, 2, 3], [2, 2, 4], [3, 2, 5]]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["0", "1", "2"], "line 7: Expected 4 cells, got 3"),
        (["0", "1", "2", "x"], "line 7: Expected a number"),
        (["0", "1", "2", "nan"], "line 7: Expected a finite number"),
        (["0", "1", "2", "1e400"], "line 7: Expected a finite number"),
        (["", "1", "2", "3"], "line 7: Expected a number"),
        (["0", "1", "", "3"], "some: point 1 of frame 1"),
    ],
)
def test_wrong_cells_are_named(cells: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_points([(7, cells)], 1, 1)


def test_no_rows_are_refused() -> None:
    with pytest.raises(UserError, match="at least one frame"):
        read_points([], 1, 1)


def test_lines_keep_their_numbers_and_stay_short() -> None:
    assert list(numbered_lines("a\r\n\r\n  \nb\t\t\rc")) == [(1, "a"), (4, "b\t\t"), (5, "c")]
    with pytest.raises(UserError, match="line 2"):
        list(numbered_lines("a\n" + "1 " * LONGEST_LINE))


def test_only_our_names_in_our_order_have_a_tree() -> None:
    assert skeleton_of(CANONICAL.joint_names) is CANONICAL
    assert set(skeleton_of(CANONICAL.joint_names[::-1]).parents) == {-1}
    assert np.array_equal(skeleton_of(["a", "b"]).parents, (-1, -1))
