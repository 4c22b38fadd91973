"""The dashboard and the operations page speak of what there is, and of all of it."""

import json
import re
from typing import Any

import pytest

from apps.exceptions.integration import TYPES
from apps.health import metrics
from controltower.env import BASE_DIR

NAME = re.compile(r"controltower_[a-z0-9_]+")
OF_HISTOGRAM = ("_bucket", "_sum", "_count")


def offered() -> dict[str, str]:
    """Every metric by its name, with its kind."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", metrics.text().decode(), re.MULTILINE))


def is_offered(name: str, kinds: dict[str, str]) -> bool:
    if kinds.get(name) in ("gauge", "counter"):
        return True
    return name.endswith(OF_HISTOGRAM) and kinds.get(name.rpartition("_")[0]) == "histogram"


def queries() -> list[str]:
    board: Any = json.loads((BASE_DIR / "deploy" / "grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    return [*asked, *(one["query"]["query"] for one in board["templating"]["list"] if isinstance(one["query"], dict))]


@pytest.mark.django_db
def test_every_metric_that_the_dashboard_asks_for_is_there() -> None:
    kinds, asked = offered(), {name for query in queries() for name in NAME.findall(query)}

    assert len(asked) > 20
    assert [name for name in sorted(asked) if not is_offered(name, kinds)] == []


@pytest.mark.django_db
def test_every_metric_and_every_trouble_has_its_line_in_the_operations_page() -> None:
    document = (BASE_DIR / "docs" / "operations.md").read_text()

    assert [name for name in offered() if f"`{name}`" not in document] == []
    assert [name for name in TYPES if f"`{name}`" not in document] == []
    kinds = offered()
    named = set(NAME.findall(document))
    assert [name for name in sorted(named) if name not in kinds and not is_offered(name, kinds)] == []
