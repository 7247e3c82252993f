"""Contract suites: what every adapter of a port has to keep, as tests to inherit."""
