"""Trains openpose-lite, posecam's own small pose network. README.md says how."""
