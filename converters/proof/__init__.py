"""Prove that a file computes what its model does: arithmetic, weights, layers, the matrix and its report.

What shows a proof (cells, terminal lines, the report) needs no TensorFlow; what finds it does.
"""
