"""The states of an incremental SVD: batches, the truncated model, the kept matrix, running means."""
