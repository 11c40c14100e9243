"""Every component that a build file can name, by kind."""

from __future__ import annotations

from pairwright.core.components import Catalogues
from pairwright.exports import EXPORTERS
from pairwright.judges import COMPARERS, IMPROVERS, JUDGES
from pairwright.judges.gates import GATES
from pairwright.perturbers import PERTURBERS
from pairwright.pipelines.ingest.sources import SOURCES

CATALOGUES: Catalogues = {
    "sources": SOURCES,
    "gates": GATES,
    "judges": JUDGES,
    "comparison": COMPARERS,
    "improve": IMPROVERS,
    "perturbers": PERTURBERS,
    "exports": EXPORTERS,
}
