"""Evidence packs and the three-year clock (归档)."""
