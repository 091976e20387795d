"""A motion as BVH, CSV and TRC, read back and compared. Needs no data.

Prints:
.bvh comes back within 1 mm: True
.csv comes back within 1 mm: True
.trc comes back within 1 mm: True
a lost joint stays lost: True
"""

import tempfile
from pathlib import Path

import numpy as np

import rehabmotion as rm
from rehabmotion.motion.transforms import canonicalise

raise_ = canonicalise(rm.simulate("standing_shoulder_abduction", "left", 7))
valid = raise_.valid.copy()
valid[10:20, rm.CANONICAL.index("left_wrist")] = False  # the sensor lost the hand for a third of a second

with tempfile.TemporaryDirectory() as folder:
    for suffix in (".bvh", ".csv", ".trc"):
        path = Path(folder) / f"raise{suffix}"
        rm.write(raise_, path)
        (back,) = rm.read(path)
        print(f"{suffix} comes back within 1 mm: {np.abs(back.positions - raise_.positions).max() < 1e-3}")
    rm.write(raise_.but(valid=valid), Path(folder) / "gap.csv")
    (gap,) = rm.read(Path(folder) / "gap.csv")
    print("a lost joint stays lost:", np.array_equal(gap.valid, valid))
