"""Tensors: trains and Tucker decompositions through truncated SVDs of unfoldings.

An unfolding of a contiguous tensor is a rearranged matrix, so it is multiplied where the tensor lies.
"""

from .train import TensorTrain, tt_svd
from .tucker import TuckerResult, core_shape, tucker, tucker_apply
from .unfolding import unfolding

__all__ = ["TensorTrain", "TuckerResult", "core_shape", "tt_svd", "tucker", "tucker_apply", "unfolding"]
