"""A rule said no."""

from collections.abc import Sequence


class Refused(Exception):
    """Raised by a rule that refuses.

    ``code`` is a stable name for tests and logs, ``sentence`` tells the person (in Chinese) what happened and what to
    do, ``details`` are further lines, one finding each. One handler turns it into a message or a 409.
    """

    def __init__(self, code: str, sentence: str, details: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.details = tuple(details)
