"""Tables of OpenSim: headers new and old, exact round trips, OpenSim's own readers, hostile files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rehabmotion.errors import UserError
from rehabmotion.io.storage import Storage, coordinate_of, read_storage, write_storage

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HIP = "/jointset/hip_r/hip_flexion_r/value"
SMALL = (
    "Coordinates\n"
    "version=1\n"
    "nRows=3\n"
    "nColumns=3\n"
    "inDegrees=yes\n"
    "\n"
    "If the header above contains a line with 'inDegrees', this indicates whether values are in degrees (yes).\n"
    "endheader\n"
    "time\tknee_angle_r\tpelvis_ty\n"
    "0.00\t12.5\t0.940\n"
    "      0.02000000\t     13.10000000\t      0.94100000\n"
    "0.04\t13.8\t-1e-3\n"
)


def read(tmp_path: Path, text: str) -> Storage:
    (tmp_path / "a.mot").write_text(text, newline="")
    return read_storage(tmp_path / "a.mot")


def test_a_small_file_by_hand(tmp_path: Path) -> None:
    table = read(tmp_path, SMALL)
    assert (table.name, table.labels, table.in_degrees) == ("Coordinates", ("knee_angle_r", "pelvis_ty"), True)
    assert table.times.tolist() == [0, 0.02, 0.04]
    assert table.values.tolist() == [[12.5, 0.94], [13.1, 0.941], [13.8, -0.001]]


OLD = SMALL.replace("Coordinates", "name walk 3").replace("nRows=", "datarows ").replace("nColumns=", "datacolumns ")
SAME = {
    "Windows line ends": SMALL.replace("\n", "\r\n"),
    "tabs after the last cell": SMALL.replace("ty\n", "ty\t\n").replace("0.940\n", "0.940\t \t\n"),
    "blank lines": SMALL.replace("0.04", "\n0.04") + "\n\t\n",
    "no counts": SMALL.replace("nRows=3\n", "").replace("nColumns=3\n", ""),
    "spaces around the signs": SMALL.replace("=", " = "),
    "capitals": SMALL.replace("=yes", "=Yes"),
    "no end of the last line": SMALL.rstrip("\n"),
    "white space for tabs": SMALL.replace("\t", "   "),
    "other keys": SMALL.replace("version=1", "DataType=double\nversion=3\nOpenSimVersion=4.6-2026\nnote=a\nnote=b"),
}


@pytest.mark.parametrize("name", SAME)
def test_what_says_the_same_is_read_the_same(tmp_path: Path, name: str) -> None:
    one, two = read(tmp_path, SMALL), read(tmp_path, SAME[name])
    assert (one.name, one.labels, one.in_degrees) == (two.name, two.labels, two.in_degrees)
    assert np.array_equal(one.times, two.times)
    assert np.array_equal(one.values, two.values)


def test_the_old_header(tmp_path: Path) -> None:
    """It says no unit of angles: OpenSim's Storage takes degrees, we leave it open."""
    table = read(tmp_path, OLD.replace("inDegrees=yes\n", "range 0 1\n"))
    assert (table.name, table.in_degrees, table.values.shape) == ("walk 3", None, (3, 2))


def test_a_table_without_title(tmp_path: Path) -> None:
    """Headers as STOFileAdapter writes them begin with a key."""
    table = read(tmp_path, "inDegrees=no\nversion=3\nfree words\n" + SMALL[SMALL.index("endheader") :])
    assert (table.name, table.in_degrees) == ("", False)


def test_nan_stays_nan(tmp_path: Path) -> None:
    values = read(tmp_path, SMALL.replace("12.5", "nan").replace("13.8", "NaN")).values
    assert np.isnan(values).tolist() == [[True, False], [False, False], [True, False]]


def test_paths_are_kept_and_name_their_coordinate(tmp_path: Path) -> None:
    assert read(tmp_path, SMALL.replace("knee_angle_r", HIP)).labels[0] == HIP
    assert coordinate_of(HIP) == coordinate_of("hip_r/hip_flexion_r/value") == "hip_flexion_r"
    assert coordinate_of("hip_flexion_r") == "hip_flexion_r"
    for other in (HIP.replace("/value", "/speed"), "/forceset/soleus_r/activation", "/value", "//value", "a/"):
        assert coordinate_of(other) is None


BAD = {  # name: text, and what the message says
    "blank": (" \n\n", "endheader"),
    "no endheader": (SMALL.replace("endheader\n", ""), "endheader"),
    "nothing after it": (SMALL[: SMALL.index("time")], "labels"),
    "no rows": (SMALL[: SMALL.index("0.00")].replace("nRows=3", "nRows=0"), "row"),
    "cut": (SMALL[: SMALL.index("0.04")], "line 3: Expected nRows 3, got 2"),
    "a billion rows": (SMALL.replace("nRows=3", "nRows=1000000000"), "line 3"),
    "columns": (SMALL.replace("nColumns=3", "nColumns=2"), "line 4: Expected nColumns 2, got 3"),
    "old rows": (OLD.replace("datarows 3", "datarows 4"), "line 3: Expected datarows 4, got 3"),
    "counts differ": (SMALL.replace("nRows=3", "nRows=3\nnRows=4"), "line 4: Expected one nRows"),
    "degrees maybe": (SMALL.replace("=yes", "=maybe"), "line 5: Expected inDegrees=yes or inDegrees=no"),
    "vectors": (SMALL.replace("version=1", "DataType=Vec3"), "line 2: .*DataType=double"),
    "labels without time": (SMALL.replace("time\t", "t\t"), "line 9: Expected labels, time"),
    "time alone": (SMALL.replace("\tknee_angle_r\tpelvis_ty", ""), "line 9"),
    "label missing": (SMALL.replace("knee_angle_r", ""), "line 9: Expected a label for every column, got none .* 2"),
    "label twice": (SMALL.replace("knee_angle_r", "pelvis_ty"), "line 9: .*'pelvis_ty' twice"),
    "short row": (SMALL.replace("\t0.940", ""), "line 10: Expected 3 cells, time included, got 2"),
    "long row": (SMALL.replace("12.5", "12.5\t1"), "line 10: Expected 3 cells, time included, got 4"),
    "empty cell": (SMALL.replace("12.5", ""), "line 10: Expected a number in knee_angle_r, got ''"),
    "word": (SMALL.replace("-1e-3", "low"), "line 12: Expected a number in pelvis_ty, got 'low'"),
    "decimal comma": (SMALL.replace("12.5", "12,5"), "line 10"),
    "underscore": (SMALL.replace("12.5", "1_2"), "line 10"),
    "infinite": (SMALL.replace("12.5", "1e999"), "line 10: Expected a finite number"),
    "time repeated": (SMALL.replace("0.04", "0.02"), "line 12: Expected a time after 0.02, got 0.02"),
    "time backwards": (SMALL.replace("0.04", "0.01"), "line 12: Expected a time after 0.02"),
    "time nan": (SMALL.replace("0.04", "nan"), "line 12: Expected a time"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    text, message = BAD[name]
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "a.mot"))
    assert "\n" not in str(error.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.mot: .*empty file"):
        read(tmp_path, "")


@quick
@given(st.integers(0, len(SMALL)), st.binary(max_size=40), st.integers(0, 60))
def test_garbage_raises_user_error_only(tmp_path: Path, cut: int, garbage: bytes, skip: int) -> None:
    data = SMALL.encode()
    (tmp_path / "a.mot").write_bytes(data[:cut] + garbage + data[cut + skip :])
    try:
        table = read_storage(tmp_path / "a.mot")
    except UserError:
        return
    assert not np.isinf(table.values).any()


finite = st.floats(allow_nan=False, allow_infinity=False)


@quick
@given(
    st.lists(finite, min_size=3, max_size=3, unique=True),
    arrays(np.float64, (3, 2), elements=finite),
    st.booleans(),
    st.sampled_from(["", "Coordinates", "a title = of words", "name", "endheaders"]),
)
def test_round_trip_is_exact(tmp_path: Path, times: list[float], values: np.ndarray, degrees: bool, name: str) -> None:
    table = Storage(name, np.sort(times), (HIP, "pelvis_ty"), values, degrees)
    write_storage(table, tmp_path / "a.sto")
    back = read_storage(tmp_path / "a.sto")
    assert (back.name, back.labels, back.in_degrees) == (name, table.labels, degrees)
    assert back.times.tobytes() == table.times.tobytes()
    assert back.values.tobytes() == values.tobytes()


def small(**changes: Any) -> Storage:
    """A table of two rows and two columns."""
    whole = {"name": "walk", "times": [0, 0.1], "labels": ("a", "b"), "values": [[1, 2], [3, 4]], "in_degrees": True}
    return Storage(**{**whole, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"in_degrees": None}, "in_degrees"),
        ({"labels": ("a x", "b")}, "white space"),
        ({"labels": ("a\t", "b")}, "white space"),
        ({"name": "nRows=4"}, "name"),
        ({"name": "datarows 4"}, "name"),
        ({"name": "endheader"}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"values": [[1, 2], [np.nan, 4]]}, "NaN in a, row 2"),
    ],
)
def test_what_opensim_would_read_otherwise_is_not_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """OpenSim's Storage reads nan as 0 and drops the rows after it; a label of two words is two columns to it."""
    with pytest.raises(UserError, match=message):
        write_storage(small(**changes), tmp_path / "a.mot")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"times": [0, 0]},
        {"times": [0, np.nan]},
        {"times": [0]},
        {"times": [], "values": np.zeros((0, 2))},
        {"labels": (), "values": np.zeros((2, 0))},
        {"labels": ("a", "a")},
        {"labels": ("a", "")},
        {"labels": ("a", "time")},
        {"values": [[1, 2], [3, np.inf]]},
        {"values": [1, 2]},
    ],
)
def test_a_table_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        small(**changes)


@pytest.fixture
def opensim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """OpenSim as the oracle; what it logs, from its import on, stays out of the working folder."""
    monkeypatch.chdir(tmp_path)
    module = pytest.importorskip("opensim", reason="OpenSim is the oracle: pip install opensim")
    module.Logger.removeFileSink()
    return module


def test_both_readers_of_opensim_take_what_we_write(tmp_path: Path, opensim: Any) -> None:
    rng = np.random.default_rng(0)
    ours = Storage("walk", np.arange(5) / 30, (HIP, "b"), rng.normal(size=(5, 2)) * [[1e-8, 1e8]], False)
    write_storage(ours, tmp_path / "a.sto")
    table = opensim.TimeSeriesTable(str(tmp_path / "a.sto"))
    assert list(table.getColumnLabels()) == list(ours.labels)
    assert list(table.getIndependentColumn()) == ours.times.tolist()
    assert table.getMatrix().to_numpy().tolist() == ours.values.tolist()
    assert table.getTableMetaDataString("inDegrees") == "no"
    legacy = opensim.Storage(str(tmp_path / "a.sto"))
    rows = [legacy.getStateVector(i) for i in range(legacy.getSize())]
    assert (legacy.getName(), legacy.isInDegrees(), len(rows)) == ("walk", False, 5)
    assert [row.getTime() for row in rows] == ours.times.tolist()
    assert [[row.getData().get(j) for j in range(2)] for row in rows] == ours.values.tolist()


def test_what_opensim_writes_is_read(tmp_path: Path, opensim: Any) -> None:
    table = opensim.TimeSeriesTable()
    table.setColumnLabels([HIP, HIP.replace("/value", "/speed")])
    for time, row in ((0.0, [1.0, 1 / 3]), (0.1, [float("nan"), 1e-17])):
        table.appendRow(time, opensim.RowVector(row))
    table.addTableMetaDataString("inDegrees", "no")
    opensim.STOFileAdapter.write(table, str(tmp_path / "new.sto"))
    new = read_storage(tmp_path / "new.sto")
    assert (new.name, new.in_degrees, [coordinate_of(x) for x in new.labels]) == ("", False, ["hip_flexion_r", None])
    assert np.array_equal(new.values, [[1, 1 / 3], [np.nan, 1e-17]], equal_nan=True)

    labels = opensim.ArrayStr()
    for label in ("time", "a", "b"):
        labels.append(label)
    storage = opensim.Storage()
    storage.setName("walk")
    storage.setInDegrees(True)
    storage.setColumnLabels(labels)
    storage.append(0.5, opensim.Vector([1 / 3, 2.0]))
    storage.printToFile(str(tmp_path / "old.mot"), "w")
    old = read_storage(tmp_path / "old.mot")
    assert (old.name, old.in_degrees, old.labels) == ("walk", True, ("a", "b"))
    assert old.values[0] == pytest.approx([1 / 3, 2], abs=1e-8)  # it writes eight decimals


def test_real_files(data_dir: Path) -> None:
    """OpenCap: a squat with Windows line ends and a jump; the knee bends, translations are metres."""
    paths = sorted((data_dir / "opensim" / "opencap").rglob("*.mot"))
    if not paths:
        pytest.skip("needs the OpenCap samples in opensim/opencap of the data folder")
    tables = {path.stem: read_storage(path) for path in paths}
    assert {name: table.values.shape for name, table in tables.items()} == {
        "squats1_videoAndMocap": (801, 35),
        "jump2": (1419, 35),
    }
    for table in tables.values():
        assert (table.name, table.in_degrees, table.labels[0]) == ("Coordinates", True, "pelvis_tilt")
        assert 60 < table.values[:, table.labels.index("knee_angle_r")].max() < 160
        assert 0.3 < table.values[:, table.labels.index("pelvis_ty")].min() < 1.2
