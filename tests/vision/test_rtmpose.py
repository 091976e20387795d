"""RTMPose: a made network that finds dots by their colours; crops held against OpenCV; other networks refused."""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rehabmotion.errors import UserError
from rehabmotion.vision.keypoint_layouts import LAYOUTS
from rehabmotion.vision.points import NUMBER, POINTS
from rehabmotion.vision.rtmpose import MEAN, STD, Crop, RtmPose, crop_of, cut, decode

SIZE = (192, 256)
COLOURS = np.array(list(itertools.product((0, 128, 255), repeat=3))[1:], np.float32)  # 26, all but black
DOT = 15  # pixels

Network = Callable[..., Path]


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A function that makes a network whose keypoint k is where the picture has colour k."""
    onnx = pytest.importorskip("onnx", reason="needs onnx to make a network")
    pytest.importorskip("onnxruntime", reason='needs onnxruntime: pip install "rehabmotion[rtmpose]"')
    from onnx import TensorProto, helper, numpy_helper

    def make(
        n: int = 17,
        shape: tuple[Any, ...] = (1, 3, 256, 192),
        outputs: tuple[str, str] = ("simcc_x", "simcc_y"),
        name: str = "rtmpose.onnx",
    ) -> Path:
        wanted = np.resize((COLOURS - MEAN) / STD, (n, 3)).reshape(1, n, 3, 1, 1)
        constants = {"wanted": wanted, "gain": np.float32(-2), "one": np.float32(1)}
        constants |= {"axis1": np.array([1]), "axis2": np.array([2]), "axis3": np.array([3])}
        constants |= {"twice": np.array([1, 1, 1, 2]), "flat": np.array([0, 0, -1])}
        nodes = [
            helper.make_node("Unsqueeze", ["picture", "axis1"], ["a"]),
            helper.make_node("Sub", ["a", "wanted"], ["b"]),
            helper.make_node("Abs", ["b"], ["c"]),
            helper.make_node("ReduceSum", ["c", "axis2"], ["d"], keepdims=0),
            helper.make_node("Mul", ["d", "gain"], ["e"]),
            helper.make_node("Add", ["e", "one"], ["f"]),
            helper.make_node("Relu", ["f"], ["alike"]),
        ]
        for output, over in zip(outputs, ("axis2", "axis3"), strict=True):  # steps of half a pixel
            nodes += [
                helper.make_node("ReduceMax", ["alike", over], [f"{over}r"], keepdims=0),
                helper.make_node("Unsqueeze", [f"{over}r", "axis3"], [f"{over}u"]),
                helper.make_node("Tile", [f"{over}u", "twice"], [f"{over}t"]),
                helper.make_node("Reshape", [f"{over}t", "flat"], [output]),
            ]
        graph = helper.make_graph(
            nodes,
            "dots",
            [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs],
            [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tmp_path / name)
        return tmp_path / name

    return make


def dots(n: int, at: tuple[int, int], spread: int = 60, size: tuple[int, int] = (640, 480)) -> tuple[Any, Any]:
    """A black picture (H, W, 3) with n dots in rows of six from a corner on, and their left top corners."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    places = np.array([(at[0] + spread * (k % 6), at[1] + spread * (k // 6)) for k in range(n)])
    for (x, y), colour in zip(places, COLOURS, strict=False):
        image[y : y + DOT, x : x + DOT] = colour
    return image, places


@pytest.mark.parametrize("n", [17, 26])
def test_every_keypoint_comes_to_its_point(network: Network, n: int) -> None:
    """One look at the whole image, one at the box of the dots: they are found within their size."""
    detector = RtmPose(network(n))
    image, places = dots(n, (100, 80))
    (found,) = detector.people(image, 0.0)
    names = LAYOUTS["COCO_17" if n == 17 else "HALPE_26"][1]
    for name, k in names.items():
        middle = places[k] + DOT / 2
        assert found.points[NUMBER[name]] == pytest.approx(middle, abs=DOT / 2 + 1), name
    assert {name for name in POINTS if found.confidence[NUMBER[name]] > 0} == set(names)
    assert (found.confidence[[NUMBER[name] for name in names]] > 0.9).all()
    assert found.world is None


def test_a_person_is_followed_lost_and_found_again(network: Network) -> None:
    """Somebody of the same look far off is not seen while the first one is there: the crop shows their place alone."""
    detector = RtmPose(network())
    first, second = dots(17, (30, 30), 20, (1280, 960)), dots(17, (1000, 600), 20, (1280, 960))
    empty = np.zeros_like(first[0])
    middles = []
    for image in (empty, first[0], np.maximum(first[0], second[0]), empty, second[0]):
        people = detector.people(image, 0.0)
        middles.append(people[0].points[NUMBER["nose"]] if people else None)
    assert middles[0] is None
    assert middles[1] == pytest.approx(np.array([37, 37]), abs=9)
    assert middles[2] == pytest.approx(np.array([37, 37]), abs=9)
    assert middles[3] is None
    assert middles[4] == pytest.approx(np.array([1007, 607]), abs=9)


def test_a_crop_keeps_the_shape_of_the_input() -> None:
    """A box 100 wide and 300 high: 1.25 x 300 / 256 = 1.46 pixels of it per input pixel; one 300 wide: 1.95."""
    crop = crop_of((50, 0, 150, 300), SIZE)
    assert crop.scale == pytest.approx(1.25 * 300 / 256)
    assert (crop.left + 96 * crop.scale, crop.top + 128 * crop.scale) == pytest.approx((100, 150))
    assert crop_of((0, 0, 300, 100), SIZE).scale == pytest.approx(1.25 * 300 / 192)
    assert crop_of((5, 5, 5, 5), SIZE).scale > 0


def test_a_ramp_is_cut_to_a_ramp() -> None:
    """A picture whose pixels say their column and row, cut anywhere, says where it was cut."""
    y, x = np.mgrid[0:200, 0:200].astype(np.uint8)
    found = cut(np.stack([x, y, x], axis=-1), Crop(20.25, 30.5, 0.4), SIZE)
    assert found.shape == (256, 192, 3)
    assert np.allclose(found[..., 0], 20.25 + 0.4 * np.arange(192)[None], atol=1e-4)
    assert np.allclose(found[..., 1], 30.5 + 0.4 * np.arange(256)[:, None], atol=1e-4)


@pytest.mark.parametrize("crop", [Crop(-30.5, 10.25, 0.7), Crop(3.0, -20.0, 2.3), Crop(500.0, 500.0, 1.0)])
def test_a_crop_is_that_of_opencv(crop: Crop) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV, which comes with mediapipe")
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 4)  # OpenCV looks at 32 places between two pixels
    back = np.array([[crop.scale, 0, crop.left], [0, crop.scale, crop.top]])
    theirs = cv2.warpAffine(image, back, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    inside = cut(np.full_like(image, 255), crop, SIZE)[..., 0] > 254.9
    assert np.abs(cut(image, crop, SIZE) - theirs)[inside].max(initial=0) <= 1.5
    assert np.abs(cut(image, crop, SIZE) - theirs).max() <= 6  # at the border 1/32 of a pixel is 1/32 of the grey


def test_scores_are_read_at_their_highest_by_the_lower_of_the_two() -> None:
    x, y = np.zeros((1, 2, 384), np.float32), np.zeros((1, 2, 512), np.float32)
    x[0, 0, 101], y[0, 0, 300] = 0.9, 0.7
    x[0, 1, 3], y[0, 1, 5] = np.nan, 2.0
    places, scores = decode(x, y, SIZE)
    assert places[0].tolist() == [50.5, 150]
    assert scores.tolist() == pytest.approx([0.7, 0.0])


def test_other_networks_and_images_are_refused(network: Network, tmp_path: Path) -> None:
    cases = {
        "one input of shape": {"shape": (1, 1, 256, 192)},
        r"got .*\[2, 3": {"shape": (2, 3, 256, 192)},
        r"got .*height": {"shape": (1, 3, "height", "width")},
        "outputs simcc_x and simcc_y, got x, y": {"outputs": ("x", "y")},
    }
    for says, how in cases.items():
        with pytest.raises(UserError, match=says):
            RtmPose(network(**how))
    with pytest.raises(UserError, match=r"17 or 26 keypoints, got answers \(1, 21, 384\)"):
        RtmPose(network(21)).people(np.zeros((9, 9, 3), np.uint8), 0.0)
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(UserError, match=r"text.onnx: Expected an .onnx network"):
        RtmPose(tmp_path / "text.onnx")
    for missing in (tmp_path, tmp_path / "none.onnx"):
        with pytest.raises(UserError, match="got none at"):
            RtmPose(missing)
    image: NDArray[Any] = np.zeros((9, 9), np.uint8)
    with pytest.raises(UserError, match="RGB image"):
        RtmPose(network(name="good.onnx")).people(image, 0.0)


def test_a_dynamic_batch_is_fine_and_tiny_images_show_nobody(network: Network) -> None:
    detector = RtmPose(network(shape=("batch", 3, 256, 192)))
    for height, width in ((1, 1), (1, 900), (900, 1)):
        assert detector.people(np.zeros((height, width, 3), np.uint8), 0.0) == []
    detector.close()


def test_without_onnxruntime_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r'pip install "rehabmotion\[rtmpose\]"'):
        RtmPose(tmp_path / "a.onnx")
