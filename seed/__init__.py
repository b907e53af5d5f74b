"""A small believable world, loaded through the rules."""
