"""The study of direct networks: labelled frames, the plan of runs, what a run does, errors, words."""
