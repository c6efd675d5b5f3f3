"""The bastion's name: the system's resolver and the name servers."""
