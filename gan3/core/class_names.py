"""What a class may be called, and how many classes there may be."""

MIN_CLASSES, MAX_CLASSES = 2, 62
MAX_LENGTH = 40  # characters of a name


def is_class_name(text: str) -> bool:
    """Whether a class can have this name: 1 to 40 printable characters."""
    return 1 <= len(text) <= MAX_LENGTH and text.isprintable()
