"""Reports of results (统计报表): lists, record sheets, rates, distributions and findings, as Excel, PDF and pictures."""
