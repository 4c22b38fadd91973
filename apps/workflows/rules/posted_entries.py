"""Which invoices, bills and credit notes count together under a cumulative policy: posted within its days, or waiting.

Said twice, as SQL over mirrored rows and as Odoo server-action code, for the guard of invoices and that of credit notes.
"""

from apps.workflows import guard_requests

# When an entry ``r`` was posted, as far as the tower knows; where nobody saw it, its own dates.
POSTED_AT = """COALESCE(
             (SELECT max(t.at) FROM workflows_transition t
               WHERE t.connection_id = r.connection_id AND t.model = 'account.move' AND t.odoo_id = r.odoo_id
                 AND t.from_stage IN ('draft', 'disputed')), r.create_date)"""
# Entries ``r`` of one of ``{types}`` that were posted within the days of a cumulative policy, beside the ``own`` one. No field of
# Odoo says when an entry was posted, and its dates can be written; what is written in the row has changed since then.
POSTED_WITHIN = f"""mirror_account_move own
      JOIN mirror_account_move r
        ON r.connection_id = own.connection_id AND r.company_id IS NOT DISTINCT FROM own.company_id AND r.odoo_id <> own.odoo_id
       AND r.deleted_at IS NULL AND r.state = 'posted' AND r.move_type IN ({{types}}) AND r.write_date >= %(since)s
       AND (r.create_date >= %(since)s OR r.invoice_date >= (%(since)s AT TIME ZONE 'UTC')::date OR {POSTED_AT} >= %(since)s)"""


def of_the_same(kind: str) -> str:
    """Return SQL that holds where ``r`` is of the partner and person of ``own``, as far as the policy of ``kind`` asks for it."""
    return f"""own.connection_id = %(connection)s AND own.odoo_id = %(record)s
       AND (NOT %(by_partner)s OR r.commercial_partner_id IS NOT DISTINCT FROM own.commercial_partner_id)
       AND (NOT %(by_person)s OR r.invoice_user_id = ANY(%(people)s::bigint[]) OR r.create_uid = ANY(%(people)s::bigint[])
            OR {guard_requests.asked_by_the_same(kind, "account.move")})"""


# What counts together with an entry, for its guard and that of credit notes.
IN_ODOO = """
def entries_together(env, kind, move, types, rule, release):
    entries = env['account.move'].sudo()
    domain = [('id', '!=', move.id), ('company_id', '=', move.company_id.id), ('move_type', 'in', types)] + of_the_same(
        env, kind, 'account.move', rule, [('commercial_partner_id', '=', move.commercial_partner_id.id)],
        ['invoice_user_id', 'create_uid'], [env.uid, move.invoice_user_id.id, move.create_uid.id])
    posted = entries.search(domain + [('state', '=', 'posted'), ('write_date', '>=', rule['since'])])
    return posted_since(env, posted, rule['since']) | entries.search(domain + [
        ('state', '=', 'draft'), '|', '|', ('id', 'in', asked_before(env, kind, move, rule['since'])),
        '&', (release, '>', 0), ('create_date', '>=', rule['since']),
        '&', ('id', '<', move.id), '&', ('x_ct_hold', '=', kind), ('x_ct_rejected', '=', False)])
"""
