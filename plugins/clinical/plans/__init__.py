"""Plans and what they are made of: how they live, are cloned, and lead to each other.

``tree`` walks a PlanDefinition, for whoever applies, clones or checks one.
"""
