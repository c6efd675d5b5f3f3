"""A bastion and a database on loopback, to see a healthy tunnel and some broken ones without touching anything real."""
