"""Quality supervision (质量督导)."""
