"""One person's squat at the three grades of the Functional Movement Screen: deeper and cleaner. Needs no data.

Prints:
fms:1  the pelvis sinks by 0.06 m
fms:2  the pelvis sinks by 0.30 m
fms:3  the pelvis sinks by 0.47 m
"""

import rehabmotion as rm

for grade in (1, 2, 3):
    squat = rm.simulate("deep_squat", "both", 6, grade=grade)  # the seed is the person and the style
    height = squat.joint("pelvis")[:, 1]
    print(f"{squat.scores[1]}  the pelvis sinks by {height[0] - height.min():.2f} m")
