"""The top level offers a dozen names at most, and these are they."""

import subprocess
import sys
from types import ModuleType

import pytest

import rehabmotion

PUBLIC: tuple[str, ...] = (  # a name comes or goes here, with its line in CHANGELOG.md
    "CANONICAL",
    "EXERCISES",
    "SCALES",
    "Motion",
    "Score",
    "Skeleton",
    "__version__",
    "generate",
    "load_model",
    "read",
    "simulate",
    "write",
)


def offered() -> set[str]:
    """Return the names that a reader finds at the top level, the rooms themselves left out."""
    names = {name for name in dir(rehabmotion) if not name.startswith("_")}
    return {name for name in names if not isinstance(getattr(rehabmotion, name), ModuleType)} | {"__version__"}


def test_the_top_level_offers_exactly_these_names() -> None:
    assert sorted(offered()) == sorted(PUBLIC)
    assert len(PUBLIC) <= 12


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there(name: str) -> None:
    assert getattr(rehabmotion, name) is not None


def test_the_star_import_brings_the_same_names() -> None:
    names: dict[str, object] = {}
    exec("from rehabmotion import *", names)
    public = {name for name in names if not name.startswith("_") and not isinstance(names[name], ModuleType)}
    assert public == set(PUBLIC) - {"__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        getattr(rehabmotion, "no_such_name")  # noqa: B009  (said so for the type checker)


def test_importing_the_top_level_leaves_torch_alone() -> None:
    """Reading a file or asking for --help does not wait two seconds for torch."""
    command = [sys.executable, "-c", "import sys, rehabmotion, rehabmotion.motion; sys.exit('torch' in sys.modules)"]
    assert subprocess.run(command, timeout=60).returncode == 0
