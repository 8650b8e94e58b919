"""Weighted cells and missing data: the gate, fits of a rank or with a penalty, held-out cells, the result."""
