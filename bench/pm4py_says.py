"""What PM4Py reads from a XES log, as JSON: run by the Python of an environment of its own (bench/process_mining.py)."""

import json
import sys

import pm4py

log = pm4py.read_xes(sys.argv[1], return_legacy_log_object=False)
cases = log.groupby("case:concept:name")["time:timestamp"]
ended = pm4py.filter_end_activities(log, sys.argv[2:])
followed, _, _ = pm4py.discover_dfg(log)
json.dump(
    {
        "version": pm4py.__version__,
        "cases": int(cases.ngroups),
        "variants": [[list(variant), len(of) if hasattr(of, "__len__") else of] for variant, of in pm4py.get_variants(log).items()],
        "followed": [[start, end, count] for (start, end), count in followed.items()],
        "rework": pm4py.get_rework_cases_per_activity(log),
        "durations": sorted(pm4py.get_all_case_durations(ended)),
    },
    sys.stdout,
)
