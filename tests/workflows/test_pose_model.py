"""The pose model: from its address, through pip, of the user; what is wrong with each is told in a line."""

import hashlib
import io
import json
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from rehabmotion.app.cli import run
from rehabmotion.errors import UserError
from rehabmotion.vision import mediapipe_pose
from rehabmotion.workflows import pose_model as workflow
from rehabmotion.workflows.pose_model import BUILT_SHA256, PARTS, check_bundle, get_pose_model

DETECTOR, LANDMARKS = PARTS


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


GOOD = zipped({name: b"\x1c\0\0\0TFL3" + bytes(40) for name in PARTS})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; neither the network nor pip is asked where a test does not say so."""
    monkeypatch.setenv("REHABMOTION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(workflow, "_download", lambda *_: None)
    monkeypatch.setattr(workflow, "build", lambda _: pytest.fail("pip is asked"))
    return tmp_path / "cache" / "models" / "pose_landmarker_full.task"


def known(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(workflow, "OFFICIAL_SHA256", hashlib.sha256(data).hexdigest())


def test_the_official_file_is_taken_if_it_is_the_known_one(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, GOOD)
    monkeypatch.setattr(workflow, "_download", lambda *_: GOOD)
    assert get_pose_model() == (cache, workflow.OFFICIAL)
    assert cache.read_bytes() == GOOD
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]
    monkeypatch.setattr(workflow, "_download", lambda *_: pytest.fail("it is asked for again"))
    assert get_pose_model() == (cache, "already there")


@pytest.mark.parametrize(
    "came", [None, b"<html>please log in</html>", GOOD + b"more"], ids=["nothing", "page", "other"]
)
def test_else_one_is_built(cache: Path, monkeypatch: pytest.MonkeyPatch, came: bytes | None) -> None:
    said: list[str] = []
    monkeypatch.setattr(workflow, "_download", lambda *_: came)
    monkeypatch.setattr(workflow, "build", lambda _: GOOD)
    assert get_pose_model(say=said.append) == (cache, "mediapipe==0.10.21")
    assert ("cannot be reached" in said[1]) == (came is None)
    assert cache.read_bytes() == GOOD


def test_a_damaged_one_is_replaced(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.mkdir(parents=True)
    said: list[str] = []
    monkeypatch.setattr(workflow, "build", lambda _: GOOD)
    for damaged in (b"", b"x", GOOD[:-30], GOOD[:60] + b"?" + GOOD[61:]):
        cache.write_bytes(damaged)
        get_pose_model(say=said.append)
        assert cache.read_bytes() == GOOD
    assert sum("damaged" in line for line in said) == 4


WRONG = {
    "could not read it": b"hello",
    "without pose_detector.tflite, pose_landmarks": zipped({"a": b"b"}),
    "without pose_landmarks_detector.tflite": zipped({DETECTOR: b"\0\0\0\0TFL3"}),
    "pose_detector.tflite compressed": zipped({name: b"\0\0\0\0TFL3" + bytes(999) for name in PARTS}, 8),
    "pose_landmarks_detector.tflite is no TFLite": zipped({DETECTOR: b"\0\0\0\0TFL3", LANDMARKS: b"\0\0\0\0TFL2"}),
    "Bad CRC-32": GOOD[:60] + b"?" + GOOD[61:],
    "empty": b"",
}


@pytest.mark.parametrize("says", WRONG)
def test_a_file_that_is_none_is_refused_and_nothing_is_written(cache: Path, tmp_path: Path, says: str) -> None:
    (tmp_path / "mine.task").write_bytes(WRONG[says])
    with pytest.raises(UserError, match=rf"mine.task: Expected .*{says}"):
        get_pose_model(tmp_path / "mine.task")
    assert not cache.exists()


def test_a_known_file_is_taken_and_another_has_to_open(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.task"
    mine.write_bytes(GOOD)
    monkeypatch.setattr(workflow, "MediapipePose", lambda _: pytest.fail("it is known"))
    known(monkeypatch, GOOD)
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"what was there before")
    assert get_pose_model(mine) == (cache, str(mine))
    assert cache.read_bytes() == GOOD

    def refuse(path: Path) -> Any:
        raise UserError(f"{path}: Expected another.")

    monkeypatch.setattr(workflow, "MediapipePose", refuse)
    known(monkeypatch, b"")
    with pytest.raises(UserError, match=r"mine\.task: Expected another"):
        get_pose_model(mine)
    assert cache.read_bytes() == GOOD


def test_the_command(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    known(monkeypatch, GOOD)
    (tmp_path / "mine.task").write_bytes(GOOD)
    assert run(["models", "get", "pose", "--file", str(tmp_path / "mine.task")]) == 0
    assert capsys.readouterr().out == f"{cache}\n"
    assert run(["models", "get", "pose", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(cache), "source": "already there"}
    (tmp_path / "bad.task").write_bytes(b"bad")
    for wrong in (["hands"], ["pose", "--file", str(tmp_path / "bad.task")], ["pose", "--file", str(tmp_path)], []):
        assert run(["models", "get", *wrong]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)


Server = Callable[[type[BaseHTTPRequestHandler]], str]


@pytest.fixture
def serve() -> Any:
    """A function that serves with a handler on this machine and returns the address."""
    servers: list[HTTPServer] = []

    def do(handler: type[BaseHTTPRequestHandler]) -> str:
        servers.append(HTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/a.task"

    yield do
    for server in servers:
        server.shutdown()
        server.server_close()


def test_downloads_are_bounded(serve: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(BaseHTTPRequestHandler):
        status, length = 200, "1000"

        def do_GET(self) -> None:
            self.send_response(self.status)
            self.send_header("Content-Length", self.length)
            self.end_headers()
            self.wfile.write(bytes(1000))

        def log_message(self, *_: Any) -> None: ...

    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "*")
    address = serve(Handler)
    assert workflow._download(address, 1000) == bytes(1000)
    assert workflow._download(address, 10) == bytes(11)  # one more than expected tells that it is another
    Handler.length = "2000"
    assert workflow._download(address, 5000) == bytes(1000)  # cut off in the middle: its checksum tells
    Handler.status = 404
    assert workflow._download(address, 1000) is None
    assert workflow._download("http://127.0.0.1:9/", 1000) is None


def test_a_network_that_swallows_everything_is_given_up(serve: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(0.6)

        def log_message(self, *_: Any) -> None: ...

    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(workflow, "ANSWER_S", 0.2)
    start = time.monotonic()
    assert workflow._download(serve(Silent), 1000) is None
    assert time.monotonic() - start < 0.6


def test_what_pip_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    result = subprocess.CompletedProcess([], 1, b"", b"noise\nERROR: No matching distribution found\n")
    monkeypatch.setattr(workflow.subprocess, "run", lambda *_, **__: result)
    with pytest.raises(UserError, match=r"pip to get mediapipe==0.10.21.*No matching distribution.*--file FILE"):
        workflow.build(lambda _: None)
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(UserError, match=r"Expected pip beside .*--file FILE"):
        workflow.build(lambda _: None)


def test_a_wheel_with_other_networks_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "mediapipe.whl"
    for data, says in ((b"x", "could not read it"), (zipped({}), "could not read it"), (None, "as published")):
        wheel.write_bytes(zipped({name: b"other" for name, _ in PARTS.values()}) if data is None else data)
        with pytest.raises(UserError, match=f"mediapipe.whl: Expected .*{says}"):
            workflow.bundle(wheel)


@pytest.mark.slow
def test_the_built_model_is_the_same_everywhere(pose_model: Path) -> None:
    """With these bytes, MediaPipe 1.2.3 finds somebody in 96 of the first 100 frames of Sports2D's demo."""
    data = pose_model.read_bytes()
    check_bundle(data, pose_model)
    assert hashlib.sha256(data).hexdigest() == BUILT_SHA256
    with zipfile.ZipFile(pose_model) as task:
        for name, (_, sha256) in PARTS.items():
            begin = task.getinfo(name).header_offset
            begin += 30 + sum(int.from_bytes(data[begin + i : begin + i + 2], "little") for i in (26, 28))
            assert begin % workflow.ALIGNED == 0
            network = data[begin : begin + task.getinfo(name).file_size]
            size = {DETECTOR: 2_959_046, LANDMARKS: 6_440_512}[name]
            assert hashlib.sha256(network[-size:]).hexdigest() == sha256  # what was added stands before it


@pytest.mark.slow
def test_the_built_model_opens(cache: Path, pose_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "BUILT_SHA256", "")
    assert get_pose_model(pose_model) == (cache, str(pose_model))
    mediapipe_pose.MediapipePose().close()
    wrong = zipped({name: b"\x1c\0\0\0TFL3" + bytes(4000) for name in PARTS})
    (cache.parent / "wrong.task").write_bytes(wrong)
    with pytest.raises(UserError, match=r"wrong\.task: Expected MediaPipe's pose model"):
        get_pose_model(cache.parent / "wrong.task")
