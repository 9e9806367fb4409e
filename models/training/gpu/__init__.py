"""Trains for a few minutes on a GPU, with everything made on the device. ../README.md says how."""
