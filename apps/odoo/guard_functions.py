"""Functions that every guard uses inside Odoo, as text; what guards are is said in :mod:`apps.odoo.guards`.

Odoo's ``safe_eval`` allows functions, but no closures: no comprehension in one may name its locals.
"""

# When it is asked anew: later than the last time, though it was asked and decided within this second, or the clock was set back.
# By this moment the tower tells one asking from the next, and Odoo keeps moments to the second.
ASKED_AT = "max(now, ask.x_requested_at + datetime.timedelta(seconds=1)) if ask and ask.x_requested_at else now"

# What is set for a company in the tower (:mod:`apps.approvals.policies.guard_policy` writes it), and else what the rule declares.
PARAMETER = """\
def parameter_of(env, name, company, default):
    row = env['{ask}'].sudo().search([('x_res_model', '=', '{policy_row}'), ('x_kind', '=', '{parameters}')], limit=1)
    of_name = (json.loads(row.x_terms or 'null') or {}).get(name) or {}
    return of_name.get(str(company.id), of_name.get('', default))

"""

# cumulative_rule, asked_before and of_the_same find what counts together with a record
# (:mod:`apps.approvals.policies.cumulation`). No field of Odoo says when an entry was posted, and its dates can be written;
# posted_since goes by what Odoo tracked of its state as well.
SHARED = """\
def covers(given, terms):
    for name in terms:
        if name == 'value':
            if given.get('value') and terms['value'] > given['value'] + 0.01:
                return False
            continue
        # What is empty is false in Odoo, and null in what the tower wrote.
        if name != 'lines' and (given.get(name) or False) != (terms[name] or False):
            return False
    left = [list(line) for line in given.get('lines') or []]
    for product, unit, quantity, price, discount in terms.get('lines') or []:
        fits = False
        for line in left:
            sign = 1 if quantity >= 0 else -1
            if (line[0] == product and line[1] == unit and sign * line[2] >= sign * quantity - 0.000001
                    and price >= line[3] - 0.000001 and discount <= line[4] + 0.000001):
                line[2] = line[2] - quantity
                fits = True
                break
        if not fits:
            return False
    return True

def compute_anew(env, record):
    # Whoever may write an order may write the figures that Odoo computes of it as well: nothing rests on what was written.
    if record._name not in ['sale.order', 'purchase.order']:
        return
    order = record.sudo()
    for name in ['price_subtotal', 'price_tax', 'price_total', 'margin']:
        if name in order.order_line._fields:
            env.add_to_compute(order.order_line._fields[name], order.order_line)
    for name in ['amount_untaxed', 'amount_tax', 'amount_total', 'currency_rate', 'margin']:
        if name in order._fields:
            env.add_to_compute(order._fields[name], order)

def followed(env, given, terms):
    # A contact that is gone was merged into the one that the record has now: any other change of it ends the release.
    known = {**given}
    for name in ['partner', 'billed']:
        if given.get(name) and terms.get(name) and not env['res.partner'].sudo().browse(given[name]).exists():
            known[name] = terms[name]
    return known

def one_at_a_time(env, table, ids):
    # Two transactions that run at once do not see each other: of two that count together the second fails here, and Odoo runs
    # it again, which then sees the first. Nothing is changed.
    if not env.cr.precommit.data.get('x_ct_past'):
        env.cr.execute('UPDATE %s SET id = id WHERE id IN %%s' % table, [tuple(ids)])

def cumulative_rule(env, kind, company):
    row = env['{ask}'].sudo().search([('x_res_model', '=', '{policy_row}'), ('x_kind', '=', kind)], limit=1)
    rule = parameter_of(env, '{together}%s' % kind, company, json.loads(row.x_terms or 'null'))
    if rule:
        rule['since'] = datetime.datetime.utcnow().replace(microsecond=0) - datetime.timedelta(days=rule['over_days'])
    return rule

def asked_before(env, kind, record, since):
    asks = env['{ask}'].sudo()
    of_kind = [('x_res_model', '=', record._name), ('x_kind', '=', kind)]
    own = asks.search(of_kind + [('x_res_id', '=', record.id), ('x_state', '=', 'open')], limit=1)
    # What was approved counts; what waits where it waited before. What is asked about anew comes after all that waits: its row is
    # older than its asking.
    before = ['&', ('id', '!=', own.id), '|', ('x_requested_at', '<', own.x_requested_at), '&',
              ('x_requested_at', '=', own.x_requested_at), ('id', '<', own.id)] if own else [('id', '!=', 0)]
    return asks.search(
        of_kind + [('x_requested_at', '>=', since), '|', ('x_state', '=', 'approved'), '&', ('x_state', '=', 'open')] + before
    ).mapped('x_res_id')

def of_the_same(env, kind, model, rule, partner, hands, people):
    domain = []
    known = []
    for one in people:
        if one:
            known.append(one)
    if 'partner' in rule['per'] and partner:
        domain = domain + partner
        one_at_a_time(env, 'res_partner', [partner[0][2]])
    elif known:
        one_at_a_time(env, 'res_users', known)
    if 'person' in rule['per']:
        asked = env['{ask}'].sudo().search([
            ('x_res_model', '=', model), ('x_kind', '=', kind), ('x_requested_uid', 'in', known),
            ('x_requested_at', '>=', rule['since']), ('x_state', 'in', ['open', 'approved'])])
        domain = domain + ['|'] * len(hands)
        for name in hands:
            domain.append((name, 'in', known))
        domain.append(('id', 'in', asked.mapped('x_res_id')))
    return domain

def posted_since(env, moves, since):
    tracked = env['mail.message'].sudo().search([
        ('model', '=', moves._name), ('res_id', 'in', moves.ids), ('date', '>=', since),
        ('tracking_value_ids.field_id.name', '=', 'state')]).mapped('res_id')
    found = moves[:0]
    for move in moves:
        if (move.id in tracked or move.create_date >= since or move.write_date >= env.cr.now().replace(microsecond=0)
                or (move.invoice_date and move.invoice_date >= since.date())):
            found = found + move
    return found

def in_words(currency, own, whole, names, rule):
    places = currency.decimal_places
    if not names:
        return '%.*f %s' % (places, own, currency.name)
    others = '1 other' if len(names) == 1 else '%s others' % len(names)
    return '%.*f %s now; %.*f %s with %s in %s days (%s)' % (
        places, own, currency.name, places, whole, currency.name, others, rule['over_days'],
        ', '.join(names[:5]) + (', …' if len(names) > 5 else ''))
"""
