"""The tables of the full-text index, made where it is switched on."""
