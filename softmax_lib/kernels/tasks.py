"""What a kernel is to do with each slice."""

PROBABILITIES, LOGARITHMS, NORMALIZERS = range(3)
