"""The photographs: two research sets, each with keypoints of one person a picture, the main one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..skeleton import COCO17_OF_PARTS, LSP_PARTS, PARTS

HELD_BACK = {"actions": 500, "lspet": 1000}  # never trained on

# What is known of a part of somebody: a guess is neither taught nor held against the network.
NOTHING, GUESS, KNOWN = 0, 1, 2


@dataclass(frozen=True)
class Photograph:
    name: str  # set/file
    file: Path
    main: np.ndarray  # (18, 3) parts of the main person: x, y, state

    def image(self) -> np.ndarray:
        picture = cv2.imread(str(self.file))
        if picture is None:
            raise FileNotFoundError(self.file)
        return picture


def place_in_order(name: str) -> str:
    """Pictures by the hash of their name: an order that depends on nothing else, for drawing lots."""
    return hashlib.sha1(name.encode()).hexdigest()


def with_neck(parts: np.ndarray) -> np.ndarray:
    """The neck between the shoulders, known as well as they are."""
    if not parts[1, 2]:
        parts[1, :2] = (parts[2, :2] + parts[5, :2]) / 2
        parts[1, 2] = min(parts[2, 2], parts[5, 2])
    return parts


def parts_of_coco(keypoints: np.ndarray) -> np.ndarray:
    """(18, 3) out of (17, 3)."""
    parts = np.zeros((PARTS, 3), np.float32)
    parts[list(COCO17_OF_PARTS)] = keypoints
    return with_neck(parts)


def parts_of_lsp(joints: np.ndarray) -> np.ndarray:
    """(18, 3) out of (14, 3) with a flag; the face is not labelled."""
    parts = np.zeros((PARTS, 3), np.float32)
    for part, (x, y, labelled) in zip(LSP_PARTS, joints, strict=True):
        if part >= 0 and labelled:
            parts[part] = x, y, KNOWN
    return with_neck(parts)


def read_actions(folder: Path) -> list[Photograph]:
    """Labels of a strong network, which says nothing of how sure it was: guesses until another one agrees."""
    names = (folder / "names.txt").read_text().split()
    keypoints = np.load(folder / "keypoints.npy")
    photographs = []
    for name, points in zip(names, keypoints, strict=True):
        state = np.full((17, 1), 0 if np.isnan(points).any() else GUESS)
        parts = parts_of_coco(np.nan_to_num(np.concatenate([points, state], 1)))
        photographs.append(Photograph(f"actions/{name}", folder / "images" / name, parts))
    return sorted(photographs, key=lambda p: place_in_order(p.name))


def read_lspet(folder: Path) -> list[Photograph]:
    joints = np.load(folder / "joints.npy")
    files = [folder / "images" / f"im{index + 1:05d}.jpg" for index in range(len(joints))]
    return [Photograph(f"lspet/{f.name}", f, parts_of_lsp(j)) for f, j in zip(files, joints, strict=True)]


def training_and_held_back(folder: Path) -> tuple[list[Photograph], list[Photograph]]:
    """Of a folder with actions/ and lspet/; held back are the first actions by hash and the last of lspet."""
    actions, lspet = read_actions(folder / "actions"), read_lspet(folder / "lspet")
    kept, border = HELD_BACK["actions"], len(lspet) - HELD_BACK["lspet"]
    training = sorted(actions[kept:] + lspet[:border], key=lambda p: place_in_order(f"mixed {p.name}"))
    return training, actions[:kept] + lspet[border:]
