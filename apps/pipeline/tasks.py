"""The doors through which workers come in. What they do lies in the modules that they call."""

from celery import shared_task

from apps.approvals.policies import guard_policy
from apps.core import clock
from apps.odoo import access_test, deletion
from apps.outbox import dispatch
from apps.pipeline import batch, change_processing, external_events, parameter_changes, refusals
from apps.pipeline.upkeep import polling, probing, provisioning, reconciliation, registration, webhooks
from apps.vendors.proposals import following as proposals
from apps.workflows import tallies


@shared_task(name="pipeline.refresh", ignore_result=True)
def refresh(**_: object) -> None:
    """Take the deliveries that wait all the way to the screens."""
    while batch.process(clock=clock.now):
        pass
    external_events.apply_matched(now=clock.now())


@shared_task(name="outbox.dispatch", ignore_result=True)
def dispatch_commands(**_: object) -> None:
    """Write to Odoo what is due; see what became of accepted proposals; tell people about what Odoo refused."""
    while dispatch.run_due(clock=clock.now):
        pass
    proposals.settle(now=clock.now())
    refusals.tell_about(now=clock.now())


@shared_task(name="pipeline.look_again", ignore_result=True)
def look_again(**_: object) -> None:
    """Look again at the records that the passing of time, or a parameter that was set, may have moved."""
    parameter_changes.apply_due(now=clock.now())
    while change_processing.reevaluate_due(now=clock.now()) == change_processing.LOOKED_AGAIN:
        pass


@shared_task(name="pipeline.fold_tallies", ignore_result=True)
def fold_tallies(**_: object) -> None:
    """Sum up what the boards' tallies have been appended."""
    tallies.fold()


@shared_task(name="pipeline.poll", ignore_result=True)
def poll(**_: object) -> None:
    """Ask every Odoo what has changed: what webhooks lost is found here."""
    polling.poll_all(clock=clock.now)


@shared_task(name="pipeline.reconcile", ignore_result=True)
def reconcile(**_: object) -> None:
    """Compare every mirror with its Odoo, and mend what differs."""
    reconciliation.reconcile_all(clock=clock.now)


@shared_task(name="pipeline.probe", ignore_result=True)
def probe(**_: object) -> None:
    """Ask every connection whether it is well and what it can do, and see that its guards go by the policies in force."""
    probing.probe_all(clock=clock.now)
    guard_policy.publish(now=clock.now())


@shared_task(name="pipeline.register", ignore_result=True)
def register(connection_id: int, **_: object) -> None:
    """Check a connection that was entered on the page, and read it for the first time."""
    registration.take_up(connection_id, clock=clock.now)


@shared_task(name="pipeline.provision", ignore_result=True)
def provision(connection_id: int, **_: object) -> None:
    """Set up in Odoo again what the tower needs there, where somebody asked for it."""
    provisioning.provision_again(connection_id, clock=clock.now)


@shared_task(name="pipeline.test_access", ignore_result=True)
def test_access(test_id: int, **_: object) -> None:
    """Ask Odoo whether it accepts access data that somebody wants to save."""
    access_test.run(test_id, wanted=probing.wanted(), optional=probing.optional(), now=clock.now())


@shared_task(name="pipeline.delete_connection", ignore_result=True)
def delete_connection(connection_id: int, **_: object) -> None:
    """Delete a connection with everything that is kept of it."""
    deletion.delete_connection(connection_id, now=clock.now())


@shared_task(name="pipeline.switch_hooks", ignore_result=True)
def switch_hooks(**_: object) -> None:
    """Switch Odoo's webhooks off or on, where a person wants it otherwise than it is."""
    webhooks.switch_hooks(clock=clock.now)
