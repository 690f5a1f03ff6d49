"""Scripts that make data sets to try the experiments on."""
