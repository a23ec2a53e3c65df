"""The licence of a data set: the one that all documents of a run are under, or `other` with the reason."""

from dataclasses import dataclass

from prose_data.errors import InputError
from prose_data.runs import Run

OTHER = "other"
# The identifiers that the hub knows.
KNOWN = frozenset(
    """
    afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0
    bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0
    cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
    cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0
    cdla-sharing-1.0 creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2
    fair-noncommercial-research-license gemma gfdl gpl gpl-2.0 gpl-3.0 grok2-community h-research intel-research isc
    lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa
    odbl odc-by ofl-1.1 openmdw-1.0 openrail openrail++ osl-3.0 pddl postgresql unknown unlicense wtfpl zlib
    """.split()
) | {OTHER}


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of a data set: its identifier on the hub, why it is that one, and origin, licence and number of the
    documents, the most frequent first."""

    identifier: str
    reason: str
    documents: tuple[tuple[str, str, int], ...]


def licence_of(run: Run, simulated: bool) -> Licence:
    """Return the licence that follows from a run's documents; `simulated`: whether the simulated model wrote its texts."""
    if not run.count("documents"):
        if simulated:
            return Licence(
                "apache-2.0", "All texts are put together from phrases that are under Apache-2.0.", ()
            )
        return Licence(
            OTHER, "All texts were written by a model, on no document: the terms of its use apply.", ()
        )
    counted = run.scan("documents").group_by("origin", "licence").len().collect()
    rows = counted.sort("len", "origin", "licence", descending=[True, False, False]).rows()
    licences = sorted(set(counted["licence"]))
    found = {_identifier(text) for text in licences}
    if len(found) == 1 and (only := next(iter(found))) is not None:
        return Licence(only, "All documents are under this licence.", tuple(rows))
    reason = (
        "The licence of the documents is none that the hub knows."
        if len(licences) == 1
        else "The documents are under several licences, and each text about a document follows its document's."
    )
    return Licence(OTHER, reason, tuple(rows))


def known_or_error(identifier: object) -> str:
    """Return `identifier`; raises InputError if the hub does not know such a licence."""
    if not isinstance(identifier, str) or identifier not in KNOWN:
        raise InputError(
            f"license: {identifier!r} is no licence that the hub knows; use an identifier such as apache-2.0, cc-by-4.0 or "
            f"{OTHER}"
        )
    return identifier


def _identifier(text: str) -> str | None:
    """Return the hub's identifier of a licence in words; None where it has none."""
    word = "-".join(text.lower().split())
    return word if word in KNOWN - {OTHER, "unknown"} else None
