"""Benchmarks of svdkit: time against error beside its peers, kernels against the machine. See README.md."""
