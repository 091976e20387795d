"""Frames in OpenSim models: bodies, and frames offset from them, found by the paths that sockets hold."""

from __future__ import annotations

from rehabmotion.biomech.description import GROUND, Frame, Step
from rehabmotion.errors import UserError
from rehabmotion.io.xml import Element, text, vector, where

OFFSET = "PhysicalOffsetFrame"


class Frames:
    """The frames of a model by their path, such as /bodyset/femur_r or /jointset/knee_r/femur_r_offset."""

    def __init__(self, model: Element, bodies: list[Element]) -> None:
        self.known: dict[str, Frame] = {"/ground": Frame(GROUND)}
        self.offsets: dict[str, Element] = {}
        for body in bodies:
            path = f"/bodyset/{body.get('name')}"
            self.known[path] = Frame(body.get("name") or "")
            self._owned(body, path)
        ground = model.find("Ground")
        if ground is not None:
            self._owned(ground, "/ground")
        for joint in model.findall("JointSet/objects/*"):
            self._owned(joint, f"/jointset/{joint.get('name')}")
        self._owned(model, "")

    def _owned(self, owner: Element, path: str) -> None:
        """Note the offset frames inside an element."""
        for place in ("frames", "components"):
            for offset in owner.findall(f"{place}/{OFFSET}"):
                own = f"{path}/{offset.get('name')}"
                self.offsets[own] = offset
                self._owned(offset, own)

    def of_joint(self, joint: Element, socket: str) -> Frame:
        """Return the frame a socket of a joint is plugged into."""
        return self.named(text(joint, socket), joint, f"/jointset/{joint.get('name')}")

    def named(self, path: str, user: Element, owner: str = "") -> Frame:
        """Return a frame by its path, absolute, or relative to `owner`; none such raises UserError."""
        return self._resolved(path, user, owner, ())

    def _resolved(self, path: str, user: Element, owner: str, passed: tuple[str, ...]) -> Frame:
        found = next((p for p in _readings(path, owner) if p in self.known or p in self.offsets), None)
        if found is None:
            raise UserError(f"{where(user)}: Expected a body or a frame of the model, got {path!r}.")
        if found in self.known:
            return self.known[found]
        if found in passed:
            raise UserError(f"{where(user)}: Expected frames that hang on a body, got a circle of them at {found!r}.")
        offset = self.offsets[found]
        base = self._resolved(text(offset, "socket_parent"), offset, found, (*passed, found))
        step = Step(vector(offset, "translation"), vector(offset, "orientation"))
        self.known[found] = Frame(base.body, (*base.steps, step))
        return self.known[found]


def _readings(path: str, owner: str) -> list[str]:
    """Return what a path may mean, most likely first: absolute, inside the owner or beside it, a body by its name."""
    if path.startswith("/"):
        return [path, path.removeprefix("/model")]
    parts = [part for part in owner.split("/") if part]
    inside = [*parts]
    rest = path.split("/")
    while rest and rest[0] == "..":
        inside, rest = inside[:-1], rest[1:]
    name = "/".join(rest)
    readings = ["/" + "/".join([*inside, name])] if name else ["/" + "/".join(inside)]
    readings += ["/" + "/".join([*parts[:-1], name]), f"/bodyset/{name}", f"/{name}"]
    return [reading.replace("//", "/") for reading in readings]
