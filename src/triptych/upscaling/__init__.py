"""Making pictures larger: the own small network, public checkpoints, tiles with bounded memory, any target size."""
