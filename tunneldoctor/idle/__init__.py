"""After how long an unused connection is cut, how, and by whom: what the checks of the layer idle stand on."""
