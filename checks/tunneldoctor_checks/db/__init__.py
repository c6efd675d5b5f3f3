"""Whether the database behind the channel serves us."""
