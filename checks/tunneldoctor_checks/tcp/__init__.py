"""The bastion's port: every address, both families."""
