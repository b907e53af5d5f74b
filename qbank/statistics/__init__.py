"""Item statistics (试题统计)."""
