"""Theory scores (评分)."""
