"""Code that runs inside Odoo, as text: what refuses a move there, and what leaves the trace of the attempt.

A refusal rolls Odoo's transaction back, and with it everything that the guard wrote. So the guard writes the ask for a
decision in a cursor of its own, commits it, and only then refuses: the row of ``x_ct_request`` stays, and its own
webhook tells the tower within a tenth of a second.

The texts obey Odoo's ``safe_eval``: no imports, no attribute assignment, no double underscores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent, indent

from apps.odoo import holds
from apps.odoo.blueprint import CustomField, CustomModel
from apps.odoo.guard_functions import ASKED_AT, PARAMETER, SHARED
from apps.odoo.models import Connection
from apps.odoo.portal import NEUTRAL

ASK = holds.ASK
HEARTBEAT = "x_ct_heartbeat"
# The model of a row of ASK that is no ask: its x_terms are what the policy for x_kind has the guard count together.
POLICY_ROW = "policy"
# The kind of the one whose x_terms are the values that guards read of parameters, each by company.
PARAMETERS = "parameters"
# Begins the name under which a company's own rule of counting together stands there; that of all companies has a row of its own.
TOGETHER = "together:"

# What a refusal says where the guard has asked.
ASKED = "An approval has been asked for."

ASK_MODEL = CustomModel(
    ASK,
    "Control Tower: asks for a decision",
    [
        CustomField(ASK, "x_res_model", "char", "Model"),
        CustomField(ASK, "x_res_id", "integer", "Record"),
        CustomField(ASK, "x_kind", "char", "Kind of approval"),
        CustomField(ASK, "x_state", "char", "State", "open, approved, rejected, withdrawn or expired"),
        CustomField(ASK, "x_reason", "text", "Reason"),
        CustomField(ASK, "x_why", "text", "Why it was refused", "What the guard said to who tried it last"),
        CustomField(ASK, "x_total", "float", "Total of the record then"),
        CustomField(ASK, "x_count", "integer", "Attempts", "How often somebody tried since it was first asked"),
        CustomField(ASK, "x_attempted_at", "datetime", "Last attempt"),
        CustomField(ASK, "x_requested_at", "datetime", "Requested at"),
        CustomField(ASK, "x_requested_uid", "integer", "Requested by"),
        CustomField(ASK, "x_amount", "float", "Amount"),
        CustomField(ASK, "x_exposure", "float", "Exposure"),
        CustomField(ASK, "x_limit", "float", "Limit"),
        CustomField(ASK, "x_terms", "text", "Terms", "What exactly is asked for, as JSON: a release names it"),
        CustomField(ASK, "x_by_customer", "boolean", "Asked by the customer"),
    ],
)

HEARTBEAT_MODEL = CustomModel(HEARTBEAT, "Control Tower: heartbeat", [CustomField(HEARTBEAT, "x_at", "datetime", "Last beat")])
# One row, written by a scheduled action: its webhook proves that Odoo's messages reach the tower.
HEARTBEAT_CODE = dedent(f"""\
    beat = env['{HEARTBEAT}'].sudo().search([], limit=1)
    values = {{'x_at': datetime.datetime.utcnow().replace(microsecond=0)}}
    if beat:
        beat.write(values)
    else:
        beat.create(values)
    """)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """When a guard refuses: Odoo server-action code over ``record``, and the approval that is then asked for.

    Attributes:
        approval: the approval kind that is asked for.
        terms: code that sets ``terms``, what the approval is given for (see :class:`apps.workflows.declare.Guard`).
        release: the field with the number up to which the tower has released the record.
        code: sets ``why`` to the sentence that its user reads, or leaves it False to let the record through. It reads
            ``released_up_to``: the released number where the release fits ``terms``, else zero. It may set ``amount``,
            ``exposure`` and ``limit``, the facts of the ask, and ``measure``: by how much the record breaks policy, where
            that is not its amount. With ``remedy``, what to do instead, nothing is asked.
    """

    approval: str
    terms: str
    release: str
    code: str


def terms_field(release: str) -> str:
    """Name of the field that keeps what the number in field ``release`` was given for."""
    return f"{release}_for"


# A record that reaches a guarded state is judged at once, a change of one that stands there once per transaction, as it is
# at its end: while an order's lines are written one after the other it may be in breach for a moment.
#
# A held record is refused for what it is held for alone. Otherwise all conditions are tried, so that one attempt asks for
# every decision that the record needs. A change is refused where it makes matters worse than they stand committed.
GUARD = """\
{shared}
changed = record
states = {states!r}
old_values = env.context.get('old_values')
# A caller may name anything in the context: what is judged as a change was noted in this transaction.
is_change = bool(env.context.get('x_ct_change')) and env.cr.precommit.data.get('x_ct_judged') == '{key} %s' % changed.id
if not is_change and ({is_judged_last} if old_values is None else 'state' not in old_values.get(changed.id, {{}})):
    noted = env.cr.precommit.data.setdefault('x_ct_guards', [])
    key = '{key} %s' % changed.id
    if key not in noted:
        noted.append(key)
        def judge_change():
            env.cr.precommit.data['x_ct_judged'] = '{key} %s' % changed.id
            env.ref('{key}').sudo().with_context(
                x_ct_change=True, active_model=changed._name, active_id=changed.id, active_ids=changed.ids).run()
            env.cr.precommit.data['x_ct_judged'] = False
        env.cr.precommit.add(judge_change)
else:
    batch = [changed] if not is_change or (changed.exists() and changed.state in states) else []
    found = []
    standing = []
    present = env
    past = False
    is_first = True
    try:
        # First what was changed, then its siblings that the same call would have moved, then what stands committed.
        while batch:
            record = batch.pop(0)
            sought = found if not past else standing
            if not past:
                compute_anew(env, record)
{subject}
            if record:
                total = record.sudo().amount_total if 'amount_total' in record._fields else 0.0
                hold = record.sudo().x_ct_hold
                if is_change or past or hold not in {kinds!r}:
                    hold = False
{conditions}
            if found and is_first:
                is_first = False
                if is_change:
                    past = present.registry.cursor()
                    past.precommit.data['x_ct_past'] = True
                    env = present(cr=past, su=True)
                    committed = env[changed._name].browse(changed.id).exists()
                    if committed and committed.state in states:
                        batch.append(committed)
                elif {has_siblings}:
                    for sibling in present[changed._name].sudo().search([
                            ('state', 'in', states), ('id', '!=', changed.id), ('write_uid', '=', env.uid),
                            ('write_date', '>=', env.cr.now().replace(microsecond=0))], limit=200):
                        batch.append(sibling)
    finally:
        env = present
        if past:
            past.close()
    for kind, why, figures in standing:
        kept = []
        for one in found:
            is_worse = one[2]['measure'] > figures['measure'] + 0.004 or not covers(one[2]['identity'], figures['identity'])
            if one[0] != kind or is_worse:
                kept.append(one)
        found = kept
    if found:
        # Odoo's portal acts as Odoo itself (user 1) where a customer signs or pays.
        is_outside = env.user.share or env.uid == 1
        is_customer = env.user.share
        if env.uid == 1 and changed._name == 'sale.order':
            for name in ['signed_on', 'transaction_ids']:
                if name in changed._fields and changed[name]:
                    is_customer = True
        said = []
        is_asked = False
        gate = env.registry.cursor()
        own = False
        try:
            # Two people pressing at once must find one row: the second waits here for the first, and looks only then.
            gate.execute('SELECT pg_advisory_xact_lock(hashtext(%s))', ['{ask} %s %s' % (changed._name, changed.id)])
            own = env.registry.cursor()
            saved = env(cr=own, su=True)
            asks = saved['{ask}']
            for kind, why, figures in found:
                remedy = figures['remedy']
                stays = saved[figures['model']].browse(figures['id']).exists()
                if not stays:
                    # The refusal undoes its creation: there would be nothing to decide about.
                    remedy = 'Save it as a draft first: an approval is asked for when it is confirmed after that.'
                if remedy:
                    said.append('%s\\n%s' % (why, remedy))
                    continue
                is_asked = True
                now = datetime.datetime.utcnow().replace(microsecond=0)
                ask = asks.search([('x_res_model', '=', figures['model']), ('x_res_id', '=', figures['id']),
                                   ('x_kind', '=', kind)], limit=1)
                values = {{
                    'x_amount': figures['amount'], 'x_exposure': figures['exposure'], 'x_limit': figures['limit'],
                    'x_terms': figures['terms'], 'x_why': why,
                    'x_total': stays.amount_total if 'amount_total' in stays._fields else 0.0,
                }}
                anew = {{**values, 'x_state': 'open', 'x_reason': False, 'x_requested_at': {asked_at}, 'x_attempted_at': now,
                        'x_requested_uid': env.uid, 'x_by_customer': is_customer}}
                is_same = False
                if ask and ask.x_terms:
                    given, now_asked = json.loads(ask.x_terms), json.loads(figures['terms'])
                    beside = {{'confirms': 0, 'owed': 0, 'worth': 0, **({{}} if is_change else {{'value': 0}})}}
                    is_same = {{**followed(saved, given, now_asked), **beside}} == {{**now_asked, **beside}}
                elif ask:
                    is_same = float_compare(ask.x_amount, figures['amount'], precision_digits=2) == 0
                state = ask.x_state if ask else 'none'
                outcome = {asked!r}
                if not ask:
                    ask = asks.create({{**anew, 'x_res_model': figures['model'], 'x_res_id': figures['id'], 'x_kind': kind,
                                       'x_count': 1}})
                    if figures['rejected']:
                        outcome = figures['reason'] or 'The approval was rejected.'
                        ask.write({{'x_state': 'rejected', 'x_reason': outcome}})
                elif state == 'rejected' and is_same:
                    ask.write({{'x_count': ask.x_count + 1, 'x_attempted_at': now}})
                    outcome = 'The approval was rejected: %s' % (ask.x_reason or '')
                elif state == 'open':
                    # The time and who asked stay: by them the tower tells one asking from the next.
                    ask.write({{**values, 'x_count': ask.x_count + 1, 'x_attempted_at': now}})
                    if figures['rejected']:
                        outcome = figures['reason'] or outcome
                else:
                    ask.write({{**anew, 'x_count': ask.x_count + 1}})
                said.append('%s\\n%s' % (why, outcome))
            own.commit()
        finally:
            if own:
                own.close()
            gate.close()
        if is_customer and changed._name == 'sale.order':
            # Their page says so at once. The row is locked until this transaction has been rolled back.
            def hold_for_customer():
                after = env.registry.cursor()
                try:
                    order = env(cr=after, user=1, su=True)[changed._name].browse(changed.id).exists()
                    if order and order.state in ['draft', 'sent'] and not order.x_ct_hold:
                        order.write({{'x_ct_hold': found[0][0], 'x_ct_hold_reason': 'The order waits for a check by our team.'}})
                    after.commit()
                finally:
                    after.close()
            env.cr.postrollback.add(hold_for_customer)
        if is_outside:
            raise UserError({neutral!r} if changed._name == 'sale.order'
                            else 'This needs a check by our team; we will contact you.')
        place = {place!r} % (found[0][2]['model'], found[0][2]['id'])
        if len(found) > 1 and found[0][2]['id'] != found[-1][2]['id']:
            said.append('Nothing of what was selected has been done.')
        if is_asked:
            said.append('See where it stands: %s' % place)
        raise UserError('\\n\\n'.join(said))
"""

CONDITION = """\
if not hold or hold == {kind!r}:
    why = False
    amount = total
    limit = 0.0
    exposure = 0.0
    measure = False
    remedy = False
    besides = {{}}
    released_up_to = 0.0
{terms}
    released_for = record.sudo()[{terms_field!r}]
    if released_for and covers(followed(env, json.loads(released_for), terms), terms):
        released_up_to = record.sudo()[{release!r}]
{code}
    if hold:
        # What is in breach says more than the hold, whose words customers may read.
        why = why or record.sudo().x_ct_hold_reason or '%s is held for a decision.' % record.sudo().display_name
    if why:
        sought.append(({kind!r}, why, {{
            'model': record._name, 'id': record.id, 'amount': amount, 'exposure': exposure, 'limit': limit, 'remedy': remedy,
            'measure': amount if measure is False else measure, 'identity': {{**terms, 'lines': [], 'value': 0.0}},
            'rejected': bool(hold) and record.sudo().x_ct_rejected, 'reason': bool(hold) and record.sudo().x_ct_hold_reason,
            # What it asks for is the confirmation, not a change of what is confirmed.
            'terms': json.dumps({{**terms, **besides, 'amount': amount, **({{}} if is_change else {{'confirms': True}})}},
                                sort_keys=True),
        }}))
"""

# Runs for a line of a record that stands in a guarded state: the guard of the record then judges it once, at the end.
LINE_GUARD = """\
owner = record.sudo()[{link!r}]
if owner and owner.state in {states!r}:
    noted = env.cr.precommit.data.setdefault('x_ct_guards', [])
    key = '{key} %s' % owner.id
    if key not in noted:
        noted.append(key)
        def judge_change():
            env.cr.precommit.data['x_ct_judged'] = '{key} %s' % owner.id
            env.ref('{key}').sudo().with_context(
                x_ct_change=True, active_model=owner._name, active_id=owner.id, active_ids=owner.ids).run()
            env.cr.precommit.data['x_ct_judged'] = False
        env.cr.precommit.add(judge_change)
"""

# Terms may name what the record is worth in the company's currency, which a date with another rate changes; a release that came
# without it gets it as the record stands. A sales order gets another date as it is confirmed: only its changes name it.
#
# A release ends with the record's cancellation or its way back to a draft, and when partner, company or currency become
# others; a number that is written without what it is for is for the record as it stands.
RELEASES = """\
{shared}
old_values = env.context.get('old_values')
was = (old_values or {{}}).get(record.id, {{}})
ends = 'state' in was and was['state'] != record.sudo().state and record.sudo().state in ['cancel', 'draft']
for name in was:
    if name in {identity!r} and record.sudo()[name] != was[name]:
        ends = True
written = {{}}
is_change = True
{releases}
if written:
    record.with_user(1).write(written)
"""

RELEASE = """\
if record.sudo()[{release!r}]:
    if {release!r} in was:
{terms}
        given = json.loads(record.sudo()[{terms_field!r}] or 'null') if {terms_field!r} in was else terms
        if given is terms:
            written[{terms_field!r}] = json.dumps(terms, sort_keys=True)
        elif given and 'value' in terms and 'value' not in given:
            written[{terms_field!r}] = json.dumps({{**given, 'value': terms['value']}}, sort_keys=True)
    elif ends:
        written[{release!r}] = 0.0
        written[{terms_field!r}] = False
"""


def guard_code(
    conditions: Sequence[Condition],
    *,
    key: str,
    states: Sequence[str],
    subject: str = "",
    is_judged_last: bool = False,
    connection: Connection,
) -> str:
    """The code of a guard: refuse a record that is held or meets a condition, and leave the asks for decisions behind.

    An open ask counts the attempt and keeps its time: however often somebody tries, it is one asking. A rejected one is
    asked again only when what is asked is something else; one that ended otherwise and no longer lets the record through
    is asked again.

    Args:
        key: external id of the guard's own action, which it runs again for changes.
        states: the states that it guards; the first is the one that records reach.
        subject: code that makes another ``record``, or an empty one, out of the one that was changed.
        is_judged_last: what is created in one of ``states`` is judged at the end of the transaction, as a change is.
    """
    tried = "".join(
        CONDITION.format(
            kind=one.approval,
            terms=indent(one.terms.strip(), "    "),
            code=indent(one.code.strip(), "    "),
            release=one.release,
            terms_field=terms_field(one.release),
        )
        for one in conditions
    )
    return GUARD.format(
        shared=_shared(PARAMETER + SHARED),
        key=key,
        states=list(states),
        has_siblings=not subject.strip(),
        is_judged_last=is_judged_last,
        kinds=[one.approval for one in conditions],
        subject=indent(subject.strip(), " " * 12),
        conditions=indent(tried.strip(), " " * 16),
        place=holds.place(connection),
        ask=ASK,
        neutral=NEUTRAL[""],
        asked=ASKED,
        asked_at=ASKED_AT,
    )


def line_guard_code(*, link: str, key: str, states: Sequence[str]) -> str:
    """The code by which a change of a line has the record in its field ``link`` judged by the guard ``key``."""
    return LINE_GUARD.format(link=link, key=key, states=list(states))


def releases_code(releases: Sequence[tuple[str, str]], *, identity: Sequence[str]) -> str:
    """The code that keeps releases true.

    Args:
        releases: fields with what is released, each with the code that sets ``terms``.
        identity: fields of the record whose change ends a release.
    """
    each = "".join(
        RELEASE.format(release=release, terms_field=terms_field(release), terms=indent(terms.strip(), " " * 8))
        for release, terms in releases
    )
    shared = _shared(PARAMETER) if "parameter_of(" in each else ""
    return RELEASES.format(shared=shared, identity=list(identity), releases=each.strip())


def _shared(functions: str) -> str:
    names = {"{ask}": ASK, "{policy_row}": POLICY_ROW, "{parameters}": PARAMETERS, "{together}": TOGETHER}
    for place, name in names.items():
        functions = functions.replace(place, name)
    return functions
