"""The comprehensive review panel (综合评审)."""
