"""Video in, points of people out: clips, detectors, files of keypoints, who is who."""
