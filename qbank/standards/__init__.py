"""Occupations, standards, weight tables and the range tree (职业、标准、权重表、鉴定要素细目表)."""
