"""An Odoo model is one file: dropping it in is enough, and nothing else in the house changes."""

import importlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection as database

from apps.mirror import models as mirrored_models
from apps.mirror import registry
from apps.mirror.declare import Mirrored
from apps.mirror.sync import backfill, reconcile
from apps.odoo.models import Connection
from tests.mirror.company import Clock, Company

SOURCE = '''"""Odoo's ``product.category``."""

from apps.mirror.declare import Many2one, Mirrored, Text


class ProductCategory(Mirrored):
    """A category of products."""

    odoo_model = "product.category"

    complete_name = Text()
    parent_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_product_category"
'''


@pytest.fixture
def categories(connection: Connection, tmp_path: Path) -> Iterator[type[Mirrored]]:
    """A model file that was not there before, in a folder that is the models' too: other processes run from the checkout."""
    (tmp_path / "product_category.py").write_text(SOURCE)
    mirrored_models.__path__.append(str(tmp_path))
    try:
        importlib.invalidate_caches()
        importlib.import_module(f"{mirrored_models.__name__}.product_category")
        registry.models.cache_clear()
        connection.capabilities["models"]["product.category"] = {"missing_fields": []}
        yield registry.models()["product.category"]
    finally:
        mirrored_models.__path__.remove(str(tmp_path))
        sys.modules.pop(f"{mirrored_models.__name__}.product_category", None)
        apps.all_models["mirror"].pop("productcategory", None)
        apps.clear_cache()
        registry.models.cache_clear()


def test_a_dropped_in_file_is_migrated_read_and_reconciled(
    categories: type[Mirrored], company: Company, connection: Connection, clock: Clock
) -> None:
    said = StringIO()
    call_command("makemigrations", "mirror", dry_run=True, stdout=said)
    assert "Create model ProductCategory" in said.getvalue()
    with database.schema_editor() as editor:
        editor.create_model(categories)
    company.write("product.category", 3, clock(), complete_name="All / Office", parent_id=1)

    backfill.run(company, categories, connection=connection, clock=clock)
    assert categories.objects.get().complete_name == "All / Office"

    company.unlink("product.category", 3)
    clock.at += timedelta(minutes=1)
    run = reconcile.run(company, categories, connection=connection, clock=clock, on_changes=[].extend)
    assert run.found_deleted == 1


def test_every_table_has_its_migration(db: None) -> None:
    call_command("makemigrations", "mirror", check=True, dry_run=True, stdout=StringIO())


def test_every_model_names_a_table_after_odoos() -> None:
    wrong = [name for name, model in registry.models().items() if model._meta.db_table != "mirror_" + name.replace(".", "_")]
    assert wrong == []


def test_children_are_models_that_are_mirrored_with_the_field_that_points_up() -> None:
    known = registry.models()
    for model in known.values():
        for child, link in model.children:
            assert link in known[child].odoo_fields()


def test_parents_are_read_before_what_refers_to_them() -> None:
    order = list(registry.models())
    for name, model in registry.models().items():
        for child, _ in model.children:
            if name != "res.partner":
                assert order.index(name) < order.index(child)
