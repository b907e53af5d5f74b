"""The first page of everybody (notice, all parts): what waits for whom and until when, and the month it falls into."""
