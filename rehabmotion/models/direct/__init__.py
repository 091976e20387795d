"""Direct estimation of joint angles from single images: what a picture shows, as coordinates of an OpenSim model.

After Bittner et al., "Towards Single Camera Human 3D-Kinematics", Sensors 23(1):341 (2023): a network for each frame
gives bounded coordinates, body scales and the root's rotation; a skeletal layer turns these into joints and markers;
losses act on all of them; a second network looks at the frames around. Its parts are chosen by name.
"""
