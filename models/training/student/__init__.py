"""The network, its losses and optimisers, and its training."""
