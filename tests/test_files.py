"""Bytes in and out: bounded, whole, and refused in one line."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

import rehabmotion.files as files
from rehabmotion.errors import UserError
from rehabmotion.files import read_bytes, read_table, read_text, write_atomic


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_bytes(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_gzip_is_unpacked_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"motion")
    (tmp_path / "a.txt.GZ").write_bytes(gzip.compress(b"motion"))
    assert read_bytes(tmp_path / "a.txt") == read_bytes(tmp_path / "a.txt.GZ") == b"motion"


def test_what_is_not_there_or_not_a_file_is_refused(tmp_path: Path) -> None:
    assert "existing file" in refused(tmp_path / "none.txt")
    assert "folder" in refused(tmp_path)
    (tmp_path / "a").write_bytes(b"x")
    refused(tmp_path / "a" / "b.txt")
    (tmp_path / "empty").write_bytes(b"")
    assert "empty" in refused(tmp_path / "empty")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    assert "permission" in refused(tmp_path / "secret")


@pytest.mark.parametrize("cut", [1, 5, 12, -1])
def test_a_damaged_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(os.urandom(500))[:cut])
    refused(tmp_path / "a.gz")
    (tmp_path / "b.gz").write_bytes(b"no gzip at all")
    refused(tmp_path / "b.gz")


@pytest.mark.parametrize("name", ["bomb.gz", "big.txt"])
def test_more_than_the_limit_is_refused_packed_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    data = bytes(1 << 22)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert "at most 1 MiB" in refused(tmp_path / name)


def test_text_is_utf8_with_or_without_its_mark_else_latin_1(tmp_path: Path) -> None:
    for data in ("Übung".encode(), "Übung".encode("utf-8-sig"), "Übung".encode("latin-1")):
        (tmp_path / "a.txt").write_bytes(data)
        assert read_text(tmp_path / "a.txt") == "Übung"


def test_a_table_is_numbers_in_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1, 2.5\n\n-3e1,4,\n")
    assert read_table(tmp_path / "a.csv", skip_rows=1).tolist() == [[1.0, 2.5], [-30.0, 4.0]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2\n3\n", "line 2: Expected 2 columns, got 1"),
        ("1,2\n3,four\n", "line 2: Expected numbers"),
        ("\n\n", "got none"),
        (",,\n", "line 1"),
        ("1,2,3\n", "line 1: Expected 2 columns, got 3"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UserError, match=said):
        read_table(tmp_path / "a.csv", n_columns=2)


def test_writing_makes_folders_replaces_and_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_atomic(target, "first")
    write_atomic(target, b"second")
    assert target.read_bytes() == b"second"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


def test_a_written_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    """Temporary files are closed to others; what they become is not."""
    (tmp_path / "usual").touch()
    write_atomic(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_unwritable_place_is_refused_and_left_clean(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "file" / "a.txt", tmp_path / "folder"):
        with pytest.raises(UserError, match="Expected"):
            write_atomic(target, "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_if_writing_is_interrupted_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomic(tmp_path / "a.txt", "old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a.txt", "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_numbers_are_read_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(5, 3))
    (tmp_path / "a.csv").write_text("\n".join(" ".join(map(repr, row)) for row in values.tolist()))
    assert np.array_equal(read_table(tmp_path / "a.csv", delimiter=" "), values)
