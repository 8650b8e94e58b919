"""SVD in metrics: metrics and their factors, the scaled problem, its solution and result."""
