"""Whether the bastion opens a channel to the database."""
