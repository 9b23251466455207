"""A training from its start to its style folders."""
