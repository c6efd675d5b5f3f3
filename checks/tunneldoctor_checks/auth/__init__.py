"""Whether the bastion lets us in, and if not, why."""
