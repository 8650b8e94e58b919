"""Robust fits: the gate, the fit, its result, frames added later."""
