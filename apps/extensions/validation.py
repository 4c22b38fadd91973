"""Whether what extensions declare can be, looked at as the tower starts: all of an extension takes part, or nothing."""

from collections.abc import Iterator, Sequence

from django.apps import apps
from django.conf import settings
from django.core.checks import Error as CheckError
from django.db.models import Model

from apps.approvals.policies import conditions, policy
from apps.approvals.policies.bounds import PolicyError
from apps.core.extensions import Accepted, ExtensionError
from apps.events import registry as events
from apps.extensions import rights
from apps.extensions.installed import withdraw
from apps.mirror import registry as mirror
from apps.mirror.declare import Mirrored
from apps.notifications import channels
from apps.workflows import checks, registry
from apps.workflows.compile import DeclarationError
from apps.workflows.declare import Addition, Workflow


def validate() -> None:
    """Refuse each extension that cannot be, with what is wrong and the remedy, until the others can be together."""
    while found := _first_problem(settings.EXTENSIONS.accepted):
        withdraw(*found)
        forget()


def forget() -> None:
    """Let what was asked of the extensions be asked anew."""
    mirror.models.cache_clear()
    registry.workflows.cache_clear()
    events.adapters.cache_clear()
    channels.channels.cache_clear()


def _first_problem(accepted: Sequence[Accepted]) -> tuple[str, str] | None:
    """The first extension that cannot be together with those before it, and why; None where all can.

    All models are looked at first: what any workflow is over, the tower's own included, is looked up among them.
    """
    for look in (_problems_of_models, _problems_of_declarations):
        for number, one in enumerate(accepted):
            try:
                problem = next(look(one, [other.package for other in accepted[: number + 1]]), "")
            except (ExtensionError, DeclarationError, events.DeclarationError, channels.DeclarationError) as error:
                problem = str(error)
            except Exception as error:  # whatever is wrong with what others declare, the rest starts
                problem = f"What it declares cannot be used ({type(error).__name__}: {error}). Compare it with docs/extending.md."
            if problem:
                return one.package, problem
    return None


def _package_of(model: type[Model]) -> str:
    return model.__module__.partition(".")[0]


def _models_of(one: Accepted) -> list[type[Model]]:
    return list(apps.get_app_config(one.label).get_models()) if one.label else []


def _problems_of_declarations(one: Accepted, packages: Sequence[str]) -> Iterator[str]:
    yield from _problems_of_workflows(one, packages)
    events.assembled(packages)
    channels.assembled(packages)


def _problems_of_models(one: Accepted, packages: Sequence[str]) -> Iterator[str]:
    models = _models_of(one)
    later = {other.package for other in settings.EXTENSIONS.accepted} - set(packages)
    others = [model for model in apps.get_models() if model not in models and _package_of(model) not in later]
    tables = {model._meta.db_table: model for model in others}
    for model in models:
        place = f"{model.__module__}.{model.__name__}"
        if not issubclass(model, Mirrored):
            yield f"{place} is no mirrored model. An extension keeps what Odoo has: derive it from apps.mirror.declare.Mirrored."
            continue
        if model._meta.db_table != (table := "mirror_" + model.odoo_model.replace(".", "_")):
            yield f"{place} is kept in {model._meta.db_table}. Name its table {table}."
        if model._meta.db_table in tables:
            yield f"{place} is kept in {table}, which {tables[table]._meta.label} is. Leave it out: the model is mirrored already."
        if problem := rights.why_not_mirrored(model.odoo_model):
            yield f"{place} mirrors {model.odoo_model}: {problem}"
        yield from (f"{place}: {message.msg}" for message in model.check() if isinstance(message, CheckError))
    ours = [model for model in apps.get_models() if _package_of(model) == one.package]
    if stray := sorted(model.__name__ for model in ours if model not in models):
        yield f"{', '.join(stray)} is in no app of the extension. Put it into the models of its app, with the app's app_label."


def _problems_of_workflows(one: Accepted, packages: Sequence[str]) -> Iterator[str]:
    own = {model.odoo_model for model in _models_of(one) if issubclass(model, Mirrored)}
    workflows = [workflow for _, workflow in settings.EXTENSIONS.declared("workflows", Workflow, of=[one.package])]
    additions = [addition for _, addition in settings.EXTENSIONS.declared("additions", Addition, of=[one.package])]
    touched = {*(workflow.name for workflow in workflows), *(addition.workflow for addition in additions)}
    found = registry.assembled(packages)
    for name in sorted(touched):
        yield from checks.problems_of(found[name])
    yield from checks.declared_twice(found.values())
    both: list[Workflow | Addition] = [*workflows, *additions]
    for declared in both:
        for kind in declared.approvals:
            try:
                policy.check_shape(kind.name, kind.default_policy)
                conditions.check_kinds(kind.name, kind.default_policy)
            except PolicyError as error:
                yield f"The policy of {kind.name}: {error}"
        model = declared.odoo_model if isinstance(declared, Workflow) else found[declared.workflow].odoo_model
        yield from rights.problems(declared, model=model, own=own, label=one.label)
