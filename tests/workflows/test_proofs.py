"""Everything that is raised or decided has its proofs, and docs/catalogue.md names them as they are."""

import re
from pathlib import Path

from apps.workflows import registry

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "docs" / "catalogue.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The rows of a section's table, by what stands first in them."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {match[1]: match[2] for match in re.finditer(r"^\| `([^`]+)` \|(.*)$", section, re.MULTILINE)}


def test_every_exception_type_has_its_proofs() -> None:
    types = {"*.stuck" if name.endswith(".stuck") else name for name in registry.exception_types()}
    proofs = rows("Exceptions")
    assert set(proofs) == types
    assert [name for name, row in proofs.items() if row.count("::") != 2] == []


def test_every_approval_kind_has_its_proofs() -> None:
    proofs = rows("Approvals")
    assert set(proofs) == set(registry.approval_kinds())
    assert [name for name, row in proofs.items() if row.count("::") < 2] == []


def test_every_proof_that_is_named_is_there() -> None:
    named = set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE))
    assert len(named) > 40
    gone = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (TESTS / path).read_text()]
    assert gone == []
    assert [
        path for path in re.findall(r"`([\w/]+\.py)`", PAGE.replace("tests/workflows", "workflows")) if not (TESTS / path).exists()
    ] == []
