"""The item bank: versions, life cycle, review (题库)."""
