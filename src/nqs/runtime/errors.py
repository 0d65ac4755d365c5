"""Errors whose message is enough: it says what is wrong and what to do, and no traceback is printed."""


class NqsError(Exception):
    """Base of all errors that a user can mend."""


class InputError(NqsError, ValueError):
    """A setting or argument is wrong."""


class ConfigError(InputError):
    """The configuration is wrong; the message names each key and the way out."""


class BrokenFileError(NqsError):
    """A file of the pipeline is missing or unreadable; the message says which and how to rebuild it."""


class Unsound(NqsError, ValueError):
    """Numbers that no undamaged file holds; who opens the file adds its name."""


class GroundStateError(NqsError):
    """The ground state is degenerate, or the eigensolver did not converge."""


class NothingTrainedError(InputError):
    """All networks that a table would be made from diverged; the message says which, and what to lower."""
