"""Filed scope of institutions (备案)."""
