"""Words and a score in, files for Blender and NumPy out. Needs the shipped model.

Prints:
deep_squat: 90 frames of 22 joints at 30 fps
written: squat.bvh, squat.npz
"""

import tempfile
from pathlib import Path

import rehabmotion as rm

model = rm.load_model()  # the shipped model `open`
result = rm.generate(model, "sink as low as you can and stand up again", score="uiprmd:1", seconds=3, seed=7)
motion = result.motions[0]
frames, joints, _ = motion.positions.shape
print(f"{result.exercise}: {frames} frames of {joints} joints at {motion.fps:g} fps")

with tempfile.TemporaryDirectory() as folder:  # put your own folder here
    for name in ("squat.bvh", "squat.npz"):
        rm.write(motion, Path(folder) / name)
    print("written:", ", ".join(sorted(path.name for path in Path(folder).iterdir())))
