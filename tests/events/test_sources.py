"""Every source's own examples mean what stands beside them; a source is one folder."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.events import reading, registry, sources
from apps.events.models import OutsideEvent
from tests.events.conftest import Tell
from tests.world import World

RECEIVED_AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
EXAMPLES = sorted(Path(sources.__file__).parent.glob("*/examples/*.json"))

ADAPTER = """
from apps.events.declare import Adapter

ADAPTER = Adapter(
    title="EDI service", model="sale.order", kind="document", kinds={"ORDCHG": "order_line_changed"},
    reference=["buyer.order"], text="remark", data={"Item": "lines.0.item"},
)
"""


def plain(told: reading.Reading) -> dict[str, Any]:
    def text(at: datetime | None) -> str | None:
        return at.isoformat().replace("+00:00", "Z") if at else None

    return {
        "kind": told.kind,
        "reference": told.reference,
        "occurred_at": text(told.occurred_at),
        "expected_at": text(told.expected_at),
        "text": told.text,
        "data": dict(told.data),
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_an_example_means_what_stands_beside_it(path: Path) -> None:
    example = json.loads(path.read_text())
    adapter = registry.adapters()[path.parts[-3]]

    told = reading.read(adapter, json.dumps(example["message"]), received_at=RECEIVED_AT)

    assert [plain(one) for one in told] == example["events"]


def test_every_source_has_examples_of_events() -> None:
    assert len(registry.adapters()) >= 3
    for name in registry.adapters():
        own = [json.loads(path.read_text()) for path in EXAMPLES if path.parts[-3] == name]
        assert any(example["events"] for example in own), name


@pytest.fixture
def edi(tmp_path: Path) -> Iterator[str]:
    """A folder of a source that was not there before."""
    folder = tmp_path / "edi_orders"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "adapter.py").write_text(ADAPTER)
    sources.__path__.append(str(tmp_path))
    registry.adapters.cache_clear()
    yield folder.name
    sources.__path__.remove(str(tmp_path))
    registry.adapters.cache_clear()
    for module in [name for name in sys.modules if name.startswith("apps.events.sources.edi_orders")]:
        del sys.modules[module]


def test_a_new_source_is_one_folder(edi: str, world: World, tell: Tell) -> None:
    from apps.core.actor import system
    from apps.events import moves

    world.order(42, client_order_ref="4500017")
    moves.add_source("edi", adapter=edi, connection="main", by=system("test"), now=world.now)

    tell("edi", {"document": "ORDCHG", "buyer": {"order": 4500017}, "remark": "Less", "lines": [{"item": "Desk"}]})

    event = OutsideEvent.objects.get()
    assert (event.kind, event.model, event.odoo_id, event.text, event.data) == (
        "order_line_changed",
        "sale.order",
        42,
        "Less",
        {"Item": "Desk"},
    )
    assert event.occurred_at == world.now


WRONG = {
    'model="res.partner", kind="t", kinds={}, reference=["r"]': "res.partner",
    'model="sale.order", kind="t", kinds={"X": "order_eaten"}, reference=["r"]': "order_eaten",
    'model="sale.order", kind="t", kinds={"X": "order_cancelled"}, ignored=["X"], reference=["r"]': "both reads and ignores X",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_an_adapter_that_cannot_be_is_refused_by_name(arguments: str, edi: str) -> None:
    folder = Path(sources.__path__[-1]) / edi
    (folder / "adapter.py").write_text(f"from apps.events.declare import Adapter\nADAPTER = Adapter(title='EDI', {arguments})\n")
    with pytest.raises(registry.DeclarationError, match=WRONG[arguments]) as refused:
        registry.adapters()
    assert edi in str(refused.value)


UNREADABLE = {
    "a word that nobody knows": ({"event": {"code": "TELEPORTED"}}, "TELEPORTED"),
    "a word that is no text": ({"event": {"code": {"a": 1}}}, "does not know"),
    "no event at all": ({"event": [1]}, "does not know"),
    "no reference": ({"event": {"code": "DELAYED"}, "shipment": None}, "no reference"),
    "a time that is none": ({"event": {"code": "DELAYED", "timestamp": "soon"}, "shipment": {"reference": "X"}}, "soon"),
    "a time out of all years": ({"event": {"code": "DELAYED", "timestamp": 1e30}, "shipment": {"reference": "X"}}, "no time"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_message_that_cannot_be_read_is_refused_in_words(name: str) -> None:
    message, words = UNREADABLE[name]
    with pytest.raises(reading.UnreadableError, match=words):
        reading.read(registry.adapters()["carrier_tracking"], json.dumps(message), received_at=RECEIVED_AT)


def test_nothing_happens_after_it_was_told() -> None:
    message = {"event": {"code": "DELIVERED", "timestamp": "2099-01-01T00:00:00Z"}, "shipment": {"reference": "X"}}
    (told,) = reading.read(registry.adapters()["carrier_tracking"], json.dumps(message), received_at=RECEIVED_AT)
    assert told.occurred_at == RECEIVED_AT
