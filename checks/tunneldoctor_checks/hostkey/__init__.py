"""Who they are: nothing secret goes to an unverified host."""
