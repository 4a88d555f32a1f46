"""A simulator of PayPal for one machine: its REST API, approval page and signed webhooks. No money moves.

It answers as PayPal's published specifications say (Catalog Products v1, Subscriptions v1, Payments v1, Webhooks v1),
and its events have the shape of events captured from the sandbox. It has the part of PayPal that Notflix uses and
refuses the rest with the issue NOT_SIMULATED instead of ignoring it. `control` documents how to make it misbehave.
"""

CLIENT_ID = "AZnotflixL0calS1mulat0rOfPayPaLxCl1entId"
WEBHOOK_ID = "8PT597110X687430L"
"""The ids by which the product and the simulator know each other. The secret is created at first start."""
