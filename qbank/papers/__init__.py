"""Specification, assembly, sealing (组卷)."""
