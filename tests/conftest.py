"""Shared fixtures: the folder of real data, which most machines do not have."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data named by REHABMOTION_DATA; tests that need it skip without."""
    root = os.environ.get("REHABMOTION_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("needs real data: set REHABMOTION_DATA to the data folder")
    return Path(root)
