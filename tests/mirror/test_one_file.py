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

SOURCE = '''"""Odoo's ``product.pricelist``."""

from apps.mirror.declare import Many2one, Mirrored, Text


class ProductPricelist(Mirrored):
    """A price list."""

    odoo_model = "product.pricelist"

    name = Text()
    currency_id = Many2one()

    class Meta(Mirrored.Meta):
        db_table = "mirror_product_pricelist"
'''


@pytest.fixture
def price_lists(connection: Connection, tmp_path: Path) -> Iterator[type[Mirrored]]:
    """A model file that was not there before, in a folder that is the models' too: other processes run from the checkout."""
    (tmp_path / "product_pricelist.py").write_text(SOURCE)
    mirrored_models.__path__.append(str(tmp_path))
    try:
        importlib.invalidate_caches()
        importlib.import_module(f"{mirrored_models.__name__}.product_pricelist")
        registry.models.cache_clear()
        connection.capabilities["models"]["product.pricelist"] = {"missing_fields": []}
        yield registry.models()["product.pricelist"]
    finally:
        mirrored_models.__path__.remove(str(tmp_path))
        sys.modules.pop(f"{mirrored_models.__name__}.product_pricelist", None)
        apps.all_models["mirror"].pop("productpricelist", None)
        apps.clear_cache()
        registry.models.cache_clear()


def test_a_dropped_in_file_is_migrated_read_and_reconciled(
    price_lists: type[Mirrored], company: Company, connection: Connection, clock: Clock
) -> None:
    said = StringIO()
    call_command("makemigrations", "mirror", dry_run=True, stdout=said)
    assert "Create model ProductPricelist" in said.getvalue()
    with database.schema_editor() as editor:
        editor.create_model(price_lists)
    company.write("product.pricelist", 3, clock(), name="Retail", currency_id=1)

    backfill.run(company, price_lists, connection=connection, clock=clock)
    assert price_lists.objects.get().name == "Retail"

    company.unlink("product.pricelist", 3)
    clock.at += timedelta(minutes=1)
    run = reconcile.run(company, price_lists, connection=connection, clock=clock, on_changes=[].extend)
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
