"""What is written down: nothing leaves the machine."""
