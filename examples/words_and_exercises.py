"""What the shipped model understands of words it never saw, and how it says that it does not. Needs the shipped model.

Prints:
standing_shoulder_abduction  left  'hold your left arm straight and lift it out to the side up to the ear'
hurdle_step                  right 'lift the right foot over a low hurdle, touch the heel down and come back'
sit_to_stand                 both  'get up from a chair without using your hands'
with a warning               -     'a recipe for apple cake'
"""

import rehabmotion as rm

SENTENCES = (
    "hold your left arm straight and lift it out to the side up to the ear",
    "lift the right foot over a low hurdle, touch the heel down and come back",
    "get up from a chair without using your hands",
    "a recipe for apple cake",
)

model = rm.load_model()
for text in SENTENCES:
    result = rm.generate(model, text, steps=1)
    exercise = "with a warning" if result.warnings else result.exercise
    side = "-" if result.warnings else result.motions[0].meta["side"]
    print(f"{exercise:28} {side:5} {text!r}")
