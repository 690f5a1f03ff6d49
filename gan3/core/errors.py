"""The two ways in which gan3 says no."""


class UserError(Exception):
    """Something a user typed or a file holds is wrong.

    The message is one line that names the thing, the problem and the remedy. The command line
    prints it and exits with status 2; nothing else is printed.
    """


class DivergedError(Exception):
    """Training met a number that is not finite. The command line exits with status 3."""
