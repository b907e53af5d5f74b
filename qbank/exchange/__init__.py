"""Items in from Excel, with preview, row errors and revertable batches (导入)."""
