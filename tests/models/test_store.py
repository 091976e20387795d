"""Model folders: what is saved is loaded; what is damaged or foreign is one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from rehabmotion.errors import UserError
from rehabmotion.models.diffusion import DiffusionGenerator
from rehabmotion.models.generator import Request
from rehabmotion.models.store import CONFIG, WEIGHTS, Provenance, load_model, save_model

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PROVENANCE = Provenance(
    name="tiny",
    corpora=("uiprmd", "simulator"),
    held_out=("uiprmd s06",),
    exercises=("deep_squat",),
    durations={"deep_squat": {"any": (0.9, 0.1), "fms:2": (1.0, 0.2)}},
    heights=(1.35, 0.08),
    people={"deep_squat": {"both": [0, 1]}},
    training={"seed": 0, "data": ["uiprmd"]},
    version="0.1",
)


@pytest.fixture
def folder(model: DiffusionGenerator, tmp_path: Path) -> Path:
    save_model(model, PROVENANCE, tmp_path / "m")
    return tmp_path / "m"


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_model(folder)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_loaded_model_is_the_saved_one(
    model: DiffusionGenerator, folder: Path, request_of: Callable[..., Request]
) -> None:
    loaded, provenance = load_model(folder)
    assert provenance == PROVENANCE
    assert loaded.config == model.config
    assert not loaded.training
    assert torch.equal(loaded.sample(request_of()), model.sample(request_of()))


def test_the_same_model_gives_the_same_files(model: DiffusionGenerator, folder: Path, tmp_path: Path) -> None:
    loaded, provenance = load_model(folder)
    save_model(loaded, provenance, tmp_path / "again")
    for name in (CONFIG, WEIGHTS):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_half_precision_halves_the_file_and_hardly_moves_the_samples(
    model: DiffusionGenerator, folder: Path, tmp_path: Path, request_of: Callable[..., Request]
) -> None:
    save_model(model, PROVENANCE, tmp_path / "half", half=True)
    assert (tmp_path / "half" / WEIGHTS).stat().st_size < 0.6 * (folder / WEIGHTS).stat().st_size
    loaded, _ = load_model(tmp_path / "half")
    assert next(loaded.parameters()).dtype == torch.float32
    assert torch.allclose(loaded.sample(request_of()), model.sample(request_of()), atol=0.05)


def test_nothing_is_pickled(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [CONFIG, WEIGHTS]
    assert b"cpickle" not in (folder / WEIGHTS).read_bytes().lower()
    assert "denoiser.patch_in.weight" in load_file(folder / WEIGHTS)


# --- damaged ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_an_incomplete_folder_says_what_it_lacks(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in refused(folder)
    refused(folder / "nowhere")


@given(st.floats(0, 1, exclude_max=True))
@QUICK
def test_truncated_files_are_refused(model: DiffusionGenerator, tmp_path: Path, share: float) -> None:
    for name in (CONFIG, WEIGHTS):
        save_model(model, PROVENANCE, tmp_path / "m")
        data = (tmp_path / "m" / name).read_bytes()
        (tmp_path / "m" / name).write_bytes(data[: int(share * (len(data) - 2))])
        assert name in refused(tmp_path / "m")


@given(st.binary(max_size=100))
@QUICK
def test_garbage_is_refused(model: DiffusionGenerator, tmp_path: Path, data: bytes) -> None:
    for name in (CONFIG, WEIGHTS):
        save_model(model, PROVENANCE, tmp_path / "m")
        (tmp_path / "m" / name).write_bytes(data)
        assert name in refused(tmp_path / "m")


def test_weights_that_are_not_finite_are_refused(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["denoiser.patch_out.bias"][3] = float("nan")
    save_file(tensors, folder / WEIGHTS)
    assert "finite" in refused(folder)


@pytest.mark.parametrize("change", ["lacks", "more", "shape"])
def test_weights_of_another_model_are_refused(folder: Path, change: str) -> None:
    tensors = load_file(folder / WEIGHTS)
    bias = tensors.pop("denoiser.patch_out.bias")
    if change != "lacks":
        tensors["denoiser.patch_out.bias"] = bias if change == "more" else bias[:-1].clone()
    if change == "more":
        tensors["denoiser.extra"] = bias.clone()
    save_file(tensors, folder / WEIGHTS)
    assert WEIGHTS in refused(folder)


def edited(folder: Path, path: str, value: Any) -> None:
    """Set one entry of config.json, given by its path; None deletes it."""
    config = json.loads((folder / CONFIG).read_text())
    *parents, last = path.split("/")
    entry = config
    for key in parents:
        entry = entry[key]
    entry[last] = value
    if value is None:
        del entry[last]
    (folder / CONFIG).write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "gan"),
        ("kind", ["diffusion"]),
        ("kind", None),
        ("format", 2),
        ("format", None),
        ("model", None),
        ("model", []),
        ("model/n_layers", 3),
        ("model/network/n_layers", 3),
        ("model/text/width", 3),
        ("model/network", None),
        ("model/network", 3),
        ("model/network/d", -4),
        ("model/network/d", "wide"),
        ("model/network/d", 33),
        ("model/network/heads", 0),
        ("model/network/heads", 5),
        ("model/network/layers", 1),
        ("model/network/patch", 0),
        ("model/network/patch", 3),
        ("model/network/n_features", 263),
        ("model/network/n_exercises", 7),
        ("model/network/d_text", 8),
        ("model/network/scales", ["fms"]),
        ("model/text/exercises", ["deep_squat"]),
        ("model/text/encoder", "berta"),
        ("model/features", "quaternions"),
        ("model/mean", [0.0]),
        ("model/mean", None),
        ("model/std", "abc"),
        ("model/std", [0.0] * 65 + ["x"]),
        ("model/scales", ["berg"]),
        ("provenance", None),
        ("provenance", []),
        ("provenance/author", "x"),
        ("provenance/name", None),
        ("provenance/durations", []),
        ("provenance/durations", {"deep_squat": 3}),
        ("provenance/durations", {"deep_squat": {"any": 3}}),
        ("provenance/durations", {"deep_squat": {"any": ["a", "b"]}}),
        ("provenance/heights", [1.3]),
        ("provenance/heights", None),
        ("provenance/people", []),
        ("provenance/people", {"deep_squat": [0]}),
        ("provenance/people", {"deep_squat": {"both": 0}}),
        ("provenance/people", {"deep_squat": {"both": ["x"]}}),
        ("provenance/people", {"deep_squat": {"both": [2]}}),  # it knows two, 0 and 1
        ("provenance/people", {"deep_squat": {"both": [-1]}}),
        ("provenance/corpora", None),
        ("provenance/corpora", 3),
    ],
)
def test_a_foreign_configuration_is_one_line_that_names_the_file(folder: Path, path: str, value: Any) -> None:
    edited(folder, path, value)
    assert CONFIG in refused(folder) or WEIGHTS in refused(folder)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"x"', "[" * 100_000, "\ufeff{}", "{}"])
def test_a_configuration_that_is_no_object_is_refused(folder: Path, text: str) -> None:
    (folder / CONFIG).write_text(text, encoding="utf-8")
    assert CONFIG in refused(folder)


def test_an_unknown_key_is_named(folder: Path) -> None:
    edited(folder, "model/n_layers", 3)
    assert "n_layers" in refused(folder)
