"""Canvases with target maps: photographs, labels and two teachers, in shards."""
