"""What the network is trained for: the target maps, cells with somebody in them counting more."""

from __future__ import annotations

import torch

from ..skeleton import HEATMAPS, PARTS


def focus_weights(target: torch.Tensor, focus: float) -> torch.Tensor:
    """1 in empty cells, up to 1 + focus where a part or limb is. Nearly all cells are empty: unweighted, the answer
    'nobody anywhere' is nearly right and training stays at it for long."""
    strength = target.abs()
    strength[:, PARTS] = 1 - target[:, PARTS].clamp(0, 1)  # the background channel says the opposite
    limbs = strength[:, HEATMAPS:].unflatten(1, (-1, 2)).amax(2, keepdim=True)
    strength[:, HEATMAPS:] = limbs.expand(-1, -1, 2, -1, -1).flatten(1, 2)
    return 1 + focus * strength


def map_loss(stages: list[torch.Tensor], target: torch.Tensor, focus: float, initial_stage: float) -> torch.Tensor:
    """Weighted squared error, summed over channels and averaged over cells; none where the target is NaN."""
    known = ~target.isnan()
    target = target.nan_to_num()
    weights = focus_weights(target, focus) * known
    *earlier, last = [(weights * (maps.float() - target) ** 2).sum(1).mean() for maps in stages]
    return last + initial_stage * sum(earlier)


def relative_error(maps: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared error of part heatmaps and PAFs as a share of what predicting nothing would make: (2,) errors, (2,) norms
    summed, so that batches can be added up before dividing."""
    groups = (slice(0, PARTS), slice(HEATMAPS, None))
    errors = [((maps[:, g] - target[:, g]) ** 2).nansum() for g in groups]
    norms = [(target[:, g] ** 2).nansum() for g in groups]
    return torch.stack([torch.stack(errors), torch.stack(norms)])
