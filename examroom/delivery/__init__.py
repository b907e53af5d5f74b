"""What a candidate can reach (考试)."""
