"""Numbers, signed PDF, public query (证书)."""
