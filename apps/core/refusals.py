"""Refusals: what a person or a program asked for and does not get, with a stable code, a status and a sentence.

Every app's refusals are subclasses of :class:`Refusal` that stand beside the rule they come from. The API answers each as a
problem document (``apps/api/problems.py``), pages by ``apps/core/refusal_pages.py``; docs/errors.md lists them all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

CODE = re.compile(r"[a-z][a-z0-9_]{2,59}")


@dataclass(frozen=True)
class Problem:
    """A kind of refusal, as docs/errors.md explains it.

    Attributes:
        code: what programs compare; never changes once it is released.
        status: the HTTP status that goes with it.
        title: what it is, in a few words.
        meaning: when it happens.
        remedy: what the caller can do.
    """

    code: str
    status: int
    title: str
    meaning: str
    remedy: str

    def __post_init__(self) -> None:
        if not CODE.fullmatch(self.code):
            raise ValueError(f"{self.code!r} is no code: use lower case letters, digits and underscores.")
        if not 400 <= self.status < 500:
            raise ValueError(f"{self.code} has the status {self.status}: a refusal is 400 to 499.")


class Refusal(Exception):
    """What was asked for is refused; the message is a sentence for people, in the language that is spoken."""

    problem: ClassVar[Problem]

    @property
    def code(self) -> str:
        """The stable code of its kind."""
        return self.problem.code

    @property
    def status(self) -> int:
        """The HTTP status that answers it."""
        return self.problem.status

    def details(self) -> Mapping[str, Any]:
        """Return the fields that this kind adds to a problem document."""
        return {}


def kinds(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Yield every kind of refusal whose module is loaded, that declares a problem of its own."""
    for kind in of.__subclasses__():
        if "problem" in vars(kind):
            yield kind
        yield from kinds(kind)
