"""What an account on the bastion can see: the look that turns a set of causes into one."""
