"""Templates of what ``fyr plugin new`` writes."""
