"""Who is asking: bearer tokens of OpenID providers, verified, as principals.

Knows no rule of access. In the order in which a token passes: ``bearer`` (the header,
and the challenge of a refusal), ``cache`` (tokens that held a moment ago),
``verifying`` (signature, issuer, audience, times), ``keys`` and ``fetching`` (an issuer's
keys, brought by a thread off the path of requests), ``claims`` (what a token says, as a
:class:`~fyr.core.context.Principal`). ``settings`` is what a deployer says of issuers.

https://www.rfc-editor.org/rfc/rfc6750, https://www.rfc-editor.org/rfc/rfc8725
"""
