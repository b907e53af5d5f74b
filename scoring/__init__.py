"""The outcome: practical marks, review, results, certificates, archive."""
