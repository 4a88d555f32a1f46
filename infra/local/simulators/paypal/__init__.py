"""A simulator of PayPal for one machine: its REST API, approval page and signed webhooks. No money moves.

It follows PayPal's published specifications (Catalog Products v1, Subscriptions v1, Payments v1, Webhooks v1), and its
events have the shape of events captured from the sandbox. It has the part of PayPal that Notflix uses, and refuses all
other requests with the issue NOT_SIMULATED instead of ignoring them. `control` documents how to make it misbehave.
"""

CLIENT_ID = "AZnotflixL0calS1mulat0rOfPayPaLxCl1entId"
WEBHOOK_ID = "8PT597110X687430L"
"""The ids that the product and the simulator share. The secret is created at first start."""
