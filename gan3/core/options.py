"""Names that the command line offers and the library checks. No TensorFlow here."""

STRATEGIES = ("mirrored", "multiworker")  # of distributed training
