"""The tree is the diagram: rooms import upwards only, and heavy packages stay where they belong.

Imports inside functions count too: a lazy import is still a direction.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rehabmotion"

WORDS = {"geometry", "motion", "biomech"}
SIBLINGS = {"io", "features", "metrics", "models", "vision", "viz"}
# room: the rooms it may import besides itself, errors and files. Siblings are strangers to one another.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "files": set(),  # bytes in and out, whole or not at all
    "geometry": set(),
    "motion": {"geometry"},
    "biomech": {"geometry", "motion"},
    "io": WORDS,
    "features": {"geometry", "motion"},
    "metrics": {"geometry", "motion"},  # motion: which joint is the knee
    "models": WORDS,
    "vision": {"geometry", "motion"},
    "viz": {"geometry", "motion"},
    "data": WORDS | {"io", "features"},
    "training": WORDS | {"data", "features", "models", "metrics"},
    "workflows": WORDS | SIBLINGS | {"data", "training"},
    "app": {"workflows", "rehabmotion"},
    "rehabmotion": WORDS | SIBLINGS | {"data", "training", "workflows"},  # the top level, rehabmotion/__init__.py
}

# package: the rooms that may import it
KEPT_IN: dict[str, set[str]] = {
    "torch": {"geometry", "biomech", "features", "metrics", "models", "data", "training", "workflows"},
    "accelerate": {"training"},
    "safetensors": {"models", "features", "training", "workflows"},
    "av": {"viz", "vision"},
    "matplotlib": set(),
    "mediapipe": {"vision"},
    "onnxruntime": {"vision"},
    "transformers": {"models"},
    "sentence_transformers": {"models"},
    "smplx": {"workflows"},
    "aeon": {"metrics"},
    "sklearn": {"metrics"},
    "ezc3d": {"io"},
    "lxml": {"io"},
    "opensim": set(),
    "tensorboard": {"training"},
    "torch.utils.tensorboard": {"training"},
    "typer": {"app"},
    "rich": {"app"},
}
# extras: imported inside functions only, so that the core runs without them
EXTRAS = {
    "av", "transformers", "sentence_transformers", "aeon", "sklearn", "tensorboard", "torch.utils.tensorboard", "smplx",
    "ezc3d", "mediapipe", "onnxruntime",
}  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One imported name, absolute ('rehabmotion.io.npz' or 'torch.nn'), and where."""

    path: Path
    line: int
    name: str
    lazy: bool  # inside a function, or for the type checker only

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.name}"


def imports_of(package: Path) -> Iterator[Import]:
    """Yield every import under a package folder."""
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lazy = set(lazy_nodes(tree))
        for node in ast.walk(tree):
            for name in names_of(node, path.relative_to(package.parent)):
                yield Import(path.relative_to(package.parent), getattr(node, "lineno", 0), name, node in lazy)


def lazy_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that do not run when the module is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from ast.walk(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from ast.walk(child)


def names_of(node: ast.AST, path: Path) -> list[str]:
    """Return what one node imports, absolute; a package's names one by one, as each may be a module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = list(path.with_suffix("").parts[: -node.level]) if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
        return [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return []


def room_of(parts: tuple[str, ...] | list[str]) -> str:
    """Return the room of 'rehabmotion', 'io', 'npz.py'; the top level itself is the room 'rehabmotion'."""
    name = parts[1].removesuffix(".py") if len(parts) > 1 else "__init__"
    return name if name in ROOMS else "rehabmotion"


def wrong_directions(package: Path) -> list[str]:
    """Return the imports from one room into another that the table does not allow."""
    found = []
    for item in imports_of(package):
        if item.name.split(".")[0] != package.name or item.name == f"{package.name}.__version__":
            continue
        here, there = room_of(item.path.parts), room_of(item.name.split("."))
        if there not in ROOMS[here] | {here, "errors", "files"}:
            found.append(f"{item}: {here} may not import {there}")
    return found


def misplaced_packages(package: Path) -> list[str]:
    """Return the imports of heavy packages outside their rooms, and of extras at module level."""
    found = []
    for item in imports_of(package):
        for name, rooms in KEPT_IN.items():
            if not f"{item.name}.".startswith(f"{name}."):
                continue
            if room_of(item.path.parts) not in rooms:
                found.append(f"{item}: {name} belongs to {', '.join(sorted(rooms)) or 'no room'}")
            if name in EXTRAS and not item.lazy:
                found.append(f"{item}: an extra is imported inside the function that needs it")
    return found


def test_every_room_is_in_the_table() -> None:
    found = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or any(p.rglob("*.py"))}
    assert found - {"__init__", "__main__"} <= set(ROOMS)


def test_the_table_has_no_circle() -> None:
    seen: set[str] = set()
    for room, allowed in ROOMS.items():
        assert allowed <= seen | {"rehabmotion"}, f"{room} may import a room below it"
        seen.add(room)


def test_rooms_import_upwards_only() -> None:
    assert wrong_directions(PACKAGE) == []


def test_heavy_packages_stay_in_their_rooms() -> None:
    assert misplaced_packages(PACKAGE) == []


Maker = Callable[[str, str], Path]


@pytest.fixture
def made(tmp_path: Path) -> Maker:
    """A function that makes a package of one module and returns its folder."""

    def make(file: str, source: str) -> Path:
        path = tmp_path / "rehabmotion" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return tmp_path / "rehabmotion"

    return make


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("geometry/a.py", "import rehabmotion.motion.skeleton"),
        ("geometry/a.py", "from rehabmotion import motion"),
        ("motion/a.py", "def late():\n    from rehabmotion.io.npz import read_npz"),
        ("io/a.py", "from rehabmotion.models import diffusion"),
        ("io/a.py", "from ..models.diffusion import sample"),
        ("io/a.py", "from .. import viz"),
        ("viz/deep/a.py", "from ...metrics import fid"),
        ("data/__init__.py", "from ..training import loop"),
        ("models/a.py", "import importlib\nimportlib.import_module('rehabmotion.training.loop')"),
        ("workflows/a.py", "from rehabmotion.app.cli import main"),
        ("app/a.py", "from rehabmotion.models import diffusion"),
        ("motion/a.py", "from rehabmotion import read"),
        ("errors.py", "from rehabmotion.motion import Motion"),
    ],
)
def test_a_backward_or_sideways_import_is_caught(made: Maker, file: str, source: str) -> None:
    assert len(wrong_directions(made(file, source))) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("geometry/a.py", "from rehabmotion.errors import UserError"),
        ("geometry/a.py", "from .rotations import yaw_matrix"),
        ("motion/__init__.py", "from .skeleton import Skeleton"),
        ("io/a.py", "from ..motion import Motion"),
        ("training/a.py", "from rehabmotion import __version__"),
        ("app/a.py", "from rehabmotion.workflows.generate import generate"),
        ("__init__.py", "from rehabmotion.motion import Motion"),
        ("io/a.py", "import models\nimport rehabmotionx.models"),
    ],
)
def test_an_upward_import_is_allowed(made: Maker, file: str, source: str) -> None:
    assert wrong_directions(made(file, source)) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("motion/a.py", "import torch"),
        ("io/a.py", "def late():\n    from torch.nn import Module"),
        ("viz/a.py", "import av"),
        ("viz/a.py", "try:\n    import av\nexcept ImportError:\n    av = None"),
        ("viz/a.py", "class Video:\n    import av"),
        ("workflows/a.py", "def late():\n    import av"),
        ("training/a.py", "from torch.utils.tensorboard import SummaryWriter"),
        ("training/a.py", "from torch.utils import tensorboard"),
        ("metrics/a.py", "from sklearn.linear_model import LogisticRegression"),
    ],
)
def test_a_misplaced_package_is_caught(made: Maker, file: str, source: str) -> None:
    assert len(misplaced_packages(made(file, source))) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("models/a.py", "import torch\nfrom torch import nn"),
        ("viz/a.py", "def video():\n    import av"),
        ("viz/a.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import av"),
        ("motion/a.py", "import average\nimport torchless"),
    ],
)
def test_a_package_in_its_room_is_allowed(made: Maker, file: str, source: str) -> None:
    assert misplaced_packages(made(file, source)) == []


IMPORT_ALL = """
import importlib, importlib.abc, importlib.machinery, os, pathlib, socket, sys, threading

EXTRAS, package = set(sys.argv[1].split(",")), pathlib.Path(sys.argv[2])

class Refuse(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):  # looking whether an extra is there is allowed
        return importlib.machinery.ModuleSpec(name, self) if name in EXTRAS else None

    def create_module(self, spec):
        raise ImportError(spec.name + " is an extra: the core must import without it")

def no_network(*args, **kwargs):
    raise RuntimeError("importing opens a socket")

sys.meta_path.insert(0, Refuse())
sys.path.insert(0, str(package.parent))
import torch  # what torch itself does on import is its own matter
sys.argv = ["--not-an-option"]
socket.socket.connect = no_network
before = set(threading.enumerate()), os.getcwd(), dict(os.environ), set(os.listdir("."))
for path in sorted(package.rglob("*.py")):
    if path.name != "__main__.py":
        parts = path.relative_to(package.parent).with_suffix("").parts
        importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
assert before == (set(threading.enumerate()), os.getcwd(), dict(os.environ), set(os.listdir("."))), "importing acts"
"""


def test_the_core_imports_without_extras_and_importing_does_nothing(tmp_path: Path) -> None:
    """Every module imports with the extras refused; no network, thread, file, setting or argument is touched."""
    command = [sys.executable, "-B", "-c", IMPORT_ALL, ",".join(sorted(EXTRAS)), str(PACKAGE)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
