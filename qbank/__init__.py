"""The question bank: from the standard to the sealed paper."""
