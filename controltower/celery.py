"""The Celery application: queues, and the beat that only wakes.

Queues, by what their tasks may have to wait for: ``tick`` (timers, signs of life) waits for nobody, ``notify`` (messages
to people) for the mail server, ``decide`` (commands) and ``refresh`` (what webhooks hinted at) for one call to Odoo,
``sync`` (backfill, increments, reconcile) for thousands. They are apart so that a long backfill never delays a decision,
and an Odoo that answers after half a minute never delays an escalation.
"""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controltower.settings")

app = Celery("controltower")
app.config_from_object("django.conf:settings", namespace="CELERY")
WITH_TASKS = (
    *("pipeline", "outbox", "exceptions", "vendors", "customers", "boards", "timers", "notifications"),
    *("mirror", "health", "audit", "intake", "api"),
)
app.autodiscover_tasks([f"apps.{name}" for name in WITH_TASKS])

app.conf.task_routes = {
    "timers.*": {"queue": "tick"},
    "exceptions.*": {"queue": "tick"},
    # A mail server may be slow: nothing that has to be in time waits behind it.
    "vendors.send_mails": {"queue": "notify"},
    "vendors.*": {"queue": "tick"},
    "boards.*": {"queue": "notify"},
    "customers.*": {"queue": "tick"},
    "outbox.*": {"queue": "decide"},
    "pipeline.refresh": {"queue": "refresh"},
    "pipeline.evaluate": {"queue": "refresh"},
    "pipeline.look_again": {"queue": "refresh"},
    "pipeline.fold_tallies": {"queue": "tick"},
    "pipeline.switch_hooks": {"queue": "decide"},
    "pipeline.test_access": {"queue": "decide"},
    "notifications.*": {"queue": "notify"},
    "pipeline.*": {"queue": "sync"},
    "mirror.*": {"queue": "sync"},
    "health.probe_intake": {"queue": "notify"},
    "health.*": {"queue": "tick"},
    "audit.*": {"queue": "tick"},
    "intake.*": {"queue": "sync"},
    "api.*": {"queue": "sync"},
}
# Each entry wakes a loop that looks into PostgreSQL for what is due. Missing a beat delays, never loses;
# two beats do no harm, because the rows are claimed with SKIP LOCKED.
app.conf.beat_schedule = {
    "fire due timers": {"task": "timers.fire_due", "schedule": 1.0, "options": {"expires": 5}},
    "sweep deliveries": {"task": "pipeline.refresh", "schedule": 2.0, "options": {"expires": 5}},
    "sweep commands": {"task": "outbox.dispatch", "schedule": 2.0, "options": {"expires": 5}},
    "sweep what was asked for in bulk": {"task": "exceptions.work", "schedule": 5.0, "options": {"expires": 5}},
    "tell customers": {"task": "customers.tell", "schedule": 300.0, "options": {"expires": 300}},
    "follow up with vendors": {"task": "vendors.follow_up", "schedule": 300.0, "options": {"expires": 300}},
    "send mails to vendors and customers": {"task": "vendors.send_mails", "schedule": 5.0, "options": {"expires": 10}},
    "send reports": {"task": "boards.report", "schedule": 60.0, "options": {"expires": 60}},
    "send messages": {"task": "notifications.send", "schedule": 5.0, "options": {"expires": 10}},
    "post messages": {"task": "notifications.send_webhooks", "schedule": 5.0, "options": {"expires": 10}},
    "look again at what time has moved": {"task": "pipeline.look_again", "schedule": 30.0, "options": {"expires": 30}},
    "fold tallies": {"task": "pipeline.fold_tallies", "schedule": 20.0, "options": {"expires": 20}},
    "poll for changes": {"task": "pipeline.poll", "schedule": 15.0, "options": {"expires": 15}},
    "reconcile": {"task": "pipeline.reconcile", "schedule": 3600.0, "options": {"expires": 3600}},
    "probe connections": {"task": "pipeline.probe", "schedule": 60.0, "options": {"expires": 60}},
    "sign of life": {"task": "health.heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "probe the intake": {"task": "health.probe_intake", "schedule": 10.0, "options": {"expires": 10}},
    "detect incidents": {"task": "health.detect_incidents", "schedule": 30.0, "options": {"expires": 30}},
    "forget old deliveries": {"task": "intake.forget_old", "schedule": 3600.0, "options": {"expires": 3600}},
    "forget old keys": {"task": "api.forget_old_keys", "schedule": 3600.0, "options": {"expires": 3600}},
    "audit checkpoint": {"task": "audit.checkpoint", "schedule": 3600.0, "options": {"expires": 3600}},
}


@signals.task_prerun.connect
def _heard(task: Any, **_: object) -> None:
    """A task is about to look for work: whatever comes from now on wakes it anew."""
    from apps.core import wake

    wake.heard(task.name)
