"""A Report as text, JSON, NDJSON, Markdown or JUnit. Prints nothing, probes nothing, counts nothing."""
