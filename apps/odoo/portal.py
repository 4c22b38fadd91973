"""What the page on which a customer signs and pays says while the record is held."""

from apps.odoo.blueprint import ViewPatch

# What a customer reads while their order is held, in the languages of the tower; anybody else's page is in English.
NEUTRAL = {
    "de": "Ihre Bestellung wird von unserem Team geprüft; wir melden uns bei Ihnen.",
    "fr": "Votre commande est en cours de vérification par notre équipe ; nous vous contacterons.",
    "": "Your order needs a check by our team; we will contact you.",
}


def portal_notice(model: str, template: str) -> ViewPatch:
    """What the customer's page of a record says while it is held, in place of signing and paying.

    Odoo's page for signing discards the error of a refusal and goes on turning. It is loaded again then, and says why: the
    guard has marked the record as held by that time.
    """
    said = "\n".join(
        f"""            <t {"t-elif" if number else "t-if"}="(request.env.lang or '')[:2] == '{language}'">{text}</t>"""
        for number, (language, text) in enumerate(NEUTRAL.items())
        if language
    )
    return ViewPatch(
        "portal notice",
        model,
        template,
        f"""\
<data>
    <xpath expr="//div[@id='modalaccept']" position="attributes">
        <attribute name="t-if">not sale_order.x_ct_hold</attribute>
    </xpath>
    <xpath expr="//div[@id='quote_content']" position="inside">
        <style t-if="sale_order.x_ct_hold">[data-bs-target="#modalaccept"] {{ display: none !important; }}</style>
        <script t-else="">
            window.addEventListener("unhandledrejection", function (event) {{
                var button = document.querySelector("#modalaccept .o_portal_sign_submit");
                if (button ? button.disabled : false) {{
                    if (event.reason ? event.reason.name === "RPC_ERROR" : false) {{
                        window.location.reload();
                    }}
                }}
            }});
        </script>
    </xpath>
    <xpath expr="//div[@id='portal_sale_content']" position="before">
        <div class="alert alert-info" role="status" t-if="sale_order.x_ct_hold and sale_order.state in ['draft', 'sent']">
{said}
            <t t-else="">{NEUTRAL[""]}</t>
        </div>
    </xpath>
</data>""",
        ttype="qweb",
    )
