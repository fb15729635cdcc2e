"""The root of every error that Denrei shows to a person."""


class DenreiError(Exception):
    """Something a person can read and act on: one sentence, what is wrong and what to do."""


class PassingError(DenreiError):
    """Something that may be over by itself, such as a full disk: try again in a while."""
