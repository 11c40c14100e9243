"""Steps take their components as a build file has them: what distilabel's YAML gives back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import ModelError
from pairwright.judges.llm.rubric import Rubric
from pairwright.judges.panels.panel import Panel
from pairwright.judges.rules.unchanged import Unchanged
from pairwright.pipelines.distilabel_steps.embedded_servers import EmbeddedServers
from pairwright.pipelines.distilabel_steps.pairing_steps import RejectAnswers
from pairwright.pipelines.distilabel_steps.reading_steps import ReadDialogues
from pairwright.pipelines.distilabel_steps.rewrite_steps import JudgeCandidates

RUBRIC = {"use": "rubric", "endpoint": "judge", "dimensions": ["clarity"]}


def read_back(step: Any) -> Any:
    """A step as it comes out of the file that it was written to."""
    return type(step).from_dict(step.dump())


def test_a_panel_of_judges_comes_back_from_what_distilabel_writes() -> None:
    endpoint = EndpointConfig(base_url="http://localhost/v1", model="m", api_key_env="KEY")
    step = JudgeCandidates(
        judges=[{"use": "panel", "members": [RUBRIC]}, Unchanged()], endpoints={"judge": endpoint}, ledger="l.sqlite"
    )
    panel, unchanged = step.judges
    assert isinstance(panel, Panel)
    assert isinstance(panel.members[0], Rubric)
    assert isinstance(unchanged, Unchanged)
    again = read_back(step)
    assert again.judges == step.judges
    assert again.endpoints == {"judge": endpoint}


def test_sections_of_a_build_file_come_back_without_a_type_of_python() -> None:
    step = RejectAnswers(perturbers=[{"use": "entity_deletion"}], pairing={"margin": (0.1, 0.5)})
    assert step.dump()["pairing"]["margin"] == [0.1, 0.5]
    assert read_back(step).pairing == step.pairing


def test_a_name_that_no_catalogue_has_is_refused_with_what_was_meant() -> None:
    with pytest.raises(ValidationError, match="no component 'file'; there are: .*did you mean files"):
        ReadDialogues(sources=[{"use": "file", "source": "s", "path": "x.jsonl"}])
    with pytest.raises(ValidationError, match="is a judge, perturbers takes a perturber"):
        RejectAnswers(perturbers=[{"use": "pairwright.judges.rules.unchanged:Unchanged"}])


def test_a_server_starts_when_its_url_is_wanted_and_not_before(tmp_path: Path) -> None:
    hosted = EndpointConfig(base_url="http://localhost/v1", model="m")
    broken = EndpointConfig(use="embedded", model=str(tmp_path / "none.gguf"))
    with EmbeddedServers({"hosted": hosted, "broken": broken}, tmp_path) as servers:
        assert dict.fromkeys(servers) == {"broken": None}
        assert servers.get("hosted") is None
        with pytest.raises(ModelError, match=r"endpoint 'broken': .*none\.gguf"):
            servers.get("broken")
