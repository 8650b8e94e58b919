"""KeptMatrix: stub while being written."""
class KeptMatrix:
    pass
