"""OpenSim as the oracle of our kinematics."""

from __future__ import annotations

from pathlib import Path

import numpy as np


class Oracle:
    """A model in OpenSim, quiet, at assembly accuracy 1e-14; driven coordinates follow couplers only through ours."""

    def __init__(self, path: Path, scales: dict[str, np.ndarray] | None = None) -> None:
        import opensim

        opensim.Logger.removeFileSink()
        opensim.Logger.setLevelString("Off")
        self.model = opensim.Model(str(path))
        self.model.set_assembly_accuracy(1e-14)
        self.state = self.model.initSystem()
        if scales:
            scale_set = opensim.ScaleSet()
            for name, factors in scales.items():
                scale = opensim.Scale()
                scale.setSegmentName(name)
                scale.setScaleFactors(opensim.Vec3(*map(float, factors)))
                scale_set.cloneAndAppend(scale)
            self.model.scale(self.state, scale_set, False)
            self.state = self.model.initSystem()

    def put(self, values: dict[str, float]) -> None:
        """Set coordinates without the constraints being solved: their values are given."""
        coordinates = self.model.getCoordinateSet()
        for name, value in values.items():
            coordinate = coordinates.get(name)
            coordinate.setLocked(self.state, False)
            coordinate.setValue(self.state, value, False)
        self.model.realizePosition(self.state)

    def bodies(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rotations (B, 3, 3) and origins (B, 3) in ground."""
        bodies = self.model.getBodySet()
        rotations, origins = [], []
        for i in range(bodies.getSize()):
            transform = bodies.get(i).getTransformInGround(self.state)
            matrix, p = transform.R().asMat33(), transform.p()
            rotations.append([[matrix.get(r, c) for c in range(3)] for r in range(3)])
            origins.append([p.get(k) for k in range(3)])
        return np.array(rotations), np.array(origins)

    def markers(self) -> np.ndarray:
        """Return the markers (M, 3) in ground."""
        markers = self.model.getMarkerSet()
        places = [markers.get(i).getLocationInGround(self.state) for i in range(markers.getSize())]
        return np.array([[p.get(k) for k in range(3)] for p in places]).reshape(-1, 3)

    def motion_type(self, name: str) -> str:
        """Return rotational, translational or coupled."""
        return ("undefined", "rotational", "translational", "coupled")[
            self.model.getCoordinateSet().get(name).getMotionType()
        ]
