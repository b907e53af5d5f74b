"""Practical marks (操作技能考核)."""
