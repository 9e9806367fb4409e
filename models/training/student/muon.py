"""Muon for convolutions: momentum, then the nearest orthogonal matrix as the step.

After Jordan et al., Muon: An optimizer for hidden layers in neural networks (2024), with its coefficients of
the Newton-Schulz iteration. Every direction of a layer moves equally fast, which matters where steps are few."""

from __future__ import annotations

from collections.abc import Iterable

import torch


def orthogonalised(matrix: torch.Tensor, iterations: int = 5) -> torch.Tensor:
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    def __init__(
        self, parameters: Iterable[torch.nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure: nothing here needs one
        for group in self.param_groups:
            for parameter in group["params"]:
                self._move(parameter, group)

    def _move(self, parameter: torch.nn.Parameter, group: dict) -> None:
        velocity = self.state[parameter].setdefault("velocity", torch.zeros_like(parameter))
        velocity.lerp_(parameter.grad, 1 - group["momentum"])
        ahead = parameter.grad.lerp(velocity, group["momentum"])
        direction = orthogonalised(ahead.flatten(1)).view_as(parameter)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(direction, alpha=-group["lr"])
