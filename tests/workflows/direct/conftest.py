"""A little material for the study of direct networks: made-up people, drawn once."""

from pathlib import Path

import pytest

from rehabmotion.workflows.direct.data import Material, drawn, made_takes, material
from rehabmotion.workflows.rendered import Render


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder: Path = tmp_path_factory.mktemp("frames")
    return material(drawn(made_takes(1, 8), Render(size=64, every=2), folder, lambda _: None))
