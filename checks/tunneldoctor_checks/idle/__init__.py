"""Whether an unused connection survives."""
