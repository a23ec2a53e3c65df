"""What `prose_plus` believes: each remembered sample's votes on components, and how sure they make it together.

A vote says whether a sample bears a component out while a draft without any preference, about the same document, does
not; what a model writes anyway, or what the document brings along, so gets no vote in favour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prose_data.methods.types import Evidence
from prose_data.writing import Example

STATED = 0.5  # the least confidence with which a component is stated
MOST_WORDS = 110  # of a whole description


@dataclass(frozen=True, slots=True)
class Weighed:
    """One remembered sample: a draft for its document without any preference ("" if there is none), and its votes."""

    example: Example
    plain: str
    votes: tuple[tuple[str, bool], ...] = ()

    @property
    def components(self) -> tuple[str, ...]:
        """The components that this sample bears out."""
        return tuple(component for component, borne_out in self.votes if borne_out)


def weigh(entries: Sequence[Weighed]) -> dict[str, Evidence]:
    """Return every component that the entries (oldest first) voted on, in order of its first vote.

    The confidence is Laplace's rule, (votes in favour + 1) / (votes + 2): one sample alone gives no certainty.
    """
    votes: dict[str, list[bool]] = {}
    for entry in entries:
        for component, borne_out in entry.votes:
            votes.setdefault(component, []).append(borne_out)
    return {
        component: Evidence((sum(given) + 1) / (len(given) + 2), sum(given), len(given))
        for component, given in votes.items()
    }


def stated(entries: Sequence[Weighed]) -> dict[str, Evidence]:
    """Return the components that are sure enough to be stated, in a fixed order, in at most `MOST_WORDS` words.

    Where that is too many, the least sure ones are left out, of equally sure ones the later.
    """
    sure = {component: weight for component, weight in weigh(entries).items() if weight.confidence >= STATED}
    kept, words = set(), 0
    for component in sorted(sure, key=lambda component: -sure[component].confidence):
        words += len(component.split())
        if words <= MOST_WORDS:
            kept.add(component)
    return {component: weight for component, weight in sure.items() if component in kept}


def renamed(entries: Sequence[Weighed], wordings: Mapping[str, str]) -> list[Weighed]:
    """Return the entries with components in their new wording, votes kept."""
    return [
        replace(
            entry, votes=tuple((wordings.get(component, component), vote) for component, vote in entry.votes)
        )
        for entry in entries
    ]


def add_votes(entry: Weighed, votes: Mapping[str, bool]) -> Weighed:
    """Return the entry with more votes; one that it has already stays as it is."""
    return replace(entry, votes=tuple((dict(votes) | dict(entry.votes)).items()))
