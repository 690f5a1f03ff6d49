"""The errors that end a command with one line instead of a traceback."""


class UserError(Exception):
    """Something that the user typed, or something in a file, is wrong.

    The message is one line that names the thing, the problem and the remedy. The command line
    prints this line and exits with status 2.
    """


class DivergedError(Exception):
    """Training produced a number that is not finite. The command line exits with status 3."""
