"""Studies as commands: what they refuse, what they write, and that a stopped one goes on to the same result."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rehabmotion.app.cli import run as command
from rehabmotion.errors import UserError
from rehabmotion.workflows.studies.study import run_study
from rehabmotion.workflows.studies.table import STUDIES, study


class Counting:
    """A study of two parts that can be stopped between them."""

    TITLE = "Counting"
    SIZES: ClassVar = {"smoke": 1, "full": 2}

    def __init__(self, stop: bool = False) -> None:
        self.stop = stop

    def run(
        self, size: str, out: Path, data_dir: Any, say: Any, progress: Any
    ) -> tuple[dict[str, Any], dict[str, str]]:
        (out / "part").write_text("done")
        if self.stop:
            raise InterruptedError
        return {"cut": ["all of it"], "absent": ["kimore"], "n": self.SIZES[size]}, {"n.svg": "<svg/>"}

    def markdown(self, result: dict[str, Any]) -> str:
        return f"n is {result['n']}"


def test_a_study_leaves_json_markdown_and_charts(tmp_path: Path) -> None:
    result, files = run_study("counting", Counting(), "full", tmp_path / "out")
    assert [file.name for file in files] == ["counting.json", "counting.md", "n.svg"]
    assert json.loads(files[0].read_text()) == result
    text = files[1].read_text()
    for part in ("# Counting", "rehabmotion study counting --size full", "cut: all of it", "kimore", "n is 2", "n.svg"):
        assert part in text


def test_a_stopped_study_goes_on_and_another_one_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InterruptedError):
        run_study("counting", Counting(stop=True), "full", out)
    assert not (out / "counting.json").exists()
    for name, size in (("other", "full"), ("counting", "smoke")):
        with pytest.raises(UserError, match="Choose another --out"):
            run_study(name, Counting(), size, out)
    assert run_study("counting", Counting(), "full", out)[0]["n"] == 2


def test_foreign_folders_sizes_and_names_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("my file")
    for arguments in (["fitnes"], ["utility", "--size", "huge"], ["families", "--size", "smoke"]):
        assert command(["study", *arguments, "--out", str(tmp_path)]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("error: Expected")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_data_folder_that_is_not_there_is_no_absent_corpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in --data-dir left every real corpus out of a study, and hours later it said so in one line."""
    arguments = ["study", "utility", "--size", "smoke", "--out", str(tmp_path / "x")]
    assert command([*arguments, "--data-dir", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_every_study_has_a_smoke_and_a_full_size() -> None:
    for name in STUDIES:
        assert {"smoke", "full"} <= set(study(name).SIZES)
        assert study(name).TITLE


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STUDIES))
def test_the_smoke_size_runs_without_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REHABMOTION_DATA", raising=False)
    assert command(["study", name, "--size", "smoke", "--out", str(tmp_path / name), "--json"]) == 0
    result = json.loads((tmp_path / name / f"{name}.json").read_text())
    assert result["parts"]
    assert list((tmp_path / name / "figures").glob("*.svg"))
    before = (tmp_path / name / f"{name}.json").read_bytes()
    assert command(["study", name, "--size", "smoke", "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / name / f"{name}.json").read_bytes() == before
