"""The terminal's user interface. One more reader of the engine's events: it measures nothing and judges nothing."""
