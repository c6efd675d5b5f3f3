"""What the program costs: time and round trips beside the bare exchange, memory, and how soon it ends.

``python -m benchmarks`` prints each figure with its bound and ends with 1 where one is exceeded. Not part of the tests:
figures depend on the machine and on what else it does.
"""
