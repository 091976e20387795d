"""The wheel alone is the product: all its files are in it, nothing else is, and it runs outside the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rehabmotion

ROOT = Path(__file__).parents[2]
NOT_SHIPPED = {"__pycache__", ".DS_Store"}

pytestmark = pytest.mark.slow


def run(*command: str, cwd: Path, **variables: str) -> str:
    """Run a command, want success, return its output."""
    environment = {**os.environ, **variables}
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder)]
    run(*pip, str(ROOT), cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel installed in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(folder),
        str(wheel),
        cwd=folder,
    )
    return folder


def test_the_name_says_version_and_any_platform(wheel: Path) -> None:
    assert wheel.name == f"rehabmotion-{rehabmotion.__version__}-py3-none-any.whl"


def test_every_file_of_the_package_is_in_it(wheel: Path) -> None:
    paths = [path.relative_to(ROOT) for path in (ROOT / "rehabmotion").rglob("*") if path.is_file()]
    wanted = {path.as_posix() for path in paths if not NOT_SHIPPED & set(path.parts)}
    found = set(zipfile.ZipFile(wheel).namelist())
    assert wanted <= found
    assert {name for name in found if name.startswith("rehabmotion/")} == wanted


@pytest.mark.parametrize("pattern", ["rehabmotion/data/phrasings/*.toml", "rehabmotion/viz/*.html"])
def test_data_files_are_in_it(wheel: Path, pattern: str) -> None:
    assert any(Path(name).match(pattern) for name in zipfile.ZipFile(wheel).namelist())


def test_licence_and_notice_are_in_it_and_nothing_foreign(wheel: Path) -> None:
    info = f"rehabmotion-{rehabmotion.__version__}.dist-info"
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/NOTICE"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"rehabmotion", info}


def test_it_is_small_enough_for_a_package_index(wheel: Path) -> None:
    assert wheel.stat().st_size < 100 * 2**20  # PyPI's limit


def test_the_installed_package_is_used_not_the_repository(site: Path, tmp_path: Path) -> None:
    code = "import rehabmotion; print(rehabmotion.__file__)"
    assert run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(site)).startswith(str(site))


def test_the_command_runs_outside_the_repository(site: Path, tmp_path: Path) -> None:
    command = site / ("bin/rehabmotion.exe" if os.name == "nt" else "bin/rehabmotion")
    assert "generate" in run(str(command), "--help", cwd=tmp_path, PYTHONPATH=str(site))
    assert list(tmp_path.iterdir()) == []  # asking for help leaves nothing behind
