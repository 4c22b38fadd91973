"""What Odoo says of the walk's records, by its own fields and methods, compared with what the tower says.

Each check reads Odoo and returns the sentences that do not hold, each with its record. A check of a walk must be able to
fail: none of them reads from the tower what it compares with.
"""

from tests.walk.oracle.asks import guard_and_tower_count_alike, no_ask_without_a_request, no_hold_without_a_reason
from tests.walk.oracle.decisions import (
    approved_is_what_was_seen,
    deciders_had_no_hand_in_it,
    decisions_were_anybodys_to_take,
    somebody_is_asked,
)
from tests.walk.oracle.due import cases_are_due_by_their_teams_hours, due_times_stand
from tests.walk.oracle.figures import (
    boards_show_what_stands_there,
    decisions_took_what_the_kpi_says,
    home_counts_what_waits,
    kpis_are_what_odoo_says,
)
from tests.walk.oracle.goods import (
    orders_are_forecast_when_odoo_expects_the_goods,
    orders_lack_what_odoo_has_not_reserved,
    purchases_miss_what_odoo_says,
    the_mirror_has_what_odoo_computes,
)
from tests.walk.oracle.money import customers_owe_what_odoo_says, values_are_odoos
from tests.walk.oracle.policy import (
    nothing_is_bought_beyond_policy,
    nothing_is_discounted_beyond_policy,
    nothing_is_sold_beyond_the_limit,
    nothing_is_split_beyond_policy,
)
from tests.walk.oracle.portal import customers_read_nothing_of_ours
from tests.walk.oracle.stages import (
    delivered_is_what_odoo_says,
    every_record_stands_somewhere,
    invoices_stand_where_odoo_says,
    orders_stand_where_odoo_says,
    transfers_stand_where_odoo_says,
)
from tests.walk.oracle.times import invoices_are_due_when_odoo_says, transfers_are_due_when_odoo_says
from tests.walk.oracle.trail import (
    boards_count_what_is_there,
    every_write_is_explained,
    nothing_is_stuck_on_the_way_to_odoo,
    one_request_at_a_time,
    the_trail_is_whole,
)

AFTER_EACH_ACT = [
    orders_stand_where_odoo_says,
    values_are_odoos,
    purchases_miss_what_odoo_says,
    customers_owe_what_odoo_says,
    invoices_stand_where_odoo_says,
    transfers_stand_where_odoo_says,
    no_ask_without_a_request,
    no_hold_without_a_reason,
    nothing_is_bought_beyond_policy,
    nothing_is_split_beyond_policy,
    nothing_is_discounted_beyond_policy,
    decisions_were_anybodys_to_take,
    one_request_at_a_time,
    the_mirror_has_what_odoo_computes,
    orders_lack_what_odoo_has_not_reserved,
    orders_are_forecast_when_odoo_expects_the_goods,
    delivered_is_what_odoo_says,
    transfers_are_due_when_odoo_says,
    invoices_are_due_when_odoo_says,
    guard_and_tower_count_alike,
    deciders_had_no_hand_in_it,
    approved_is_what_was_seen,
    somebody_is_asked,
    nothing_is_sold_beyond_the_limit,
    every_write_is_explained,
    cases_are_due_by_their_teams_hours,
    due_times_stand,
    customers_read_nothing_of_ours,
]
AT_THE_END = [every_record_stands_somewhere, nothing_is_stuck_on_the_way_to_odoo, boards_count_what_is_there, the_trail_is_whole]
# At the looks at all records, which are further apart in a long walk.
NOW_AND_THEN = [boards_show_what_stands_there, home_counts_what_waits, kpis_are_what_odoo_says, decisions_took_what_the_kpi_says]
# The sandbox computes less than Odoo: what it has, it is asked.
OF_THE_SANDBOX = [
    values_are_odoos,
    transfers_stand_where_odoo_says,
    the_mirror_has_what_odoo_computes,
    transfers_are_due_when_odoo_says,
    no_ask_without_a_request,
    no_hold_without_a_reason,
    nothing_is_bought_beyond_policy,
    nothing_is_split_beyond_policy,
    guard_and_tower_count_alike,
    decisions_were_anybodys_to_take,
    deciders_had_no_hand_in_it,
    approved_is_what_was_seen,
    somebody_is_asked,
    one_request_at_a_time,
    cases_are_due_by_their_teams_hours,
    due_times_stand,
]
