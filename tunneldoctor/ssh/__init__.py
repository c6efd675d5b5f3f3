"""What the key, ssh, hostkey, auth and forward checks stand on: keys, certificates, known_hosts, the transport."""
