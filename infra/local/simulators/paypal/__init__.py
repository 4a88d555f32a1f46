"""A simulator of PayPal for one machine: its REST API, approval page and signed webhooks. No money moves.

What it answers follows PayPal's published specifications (Catalog Products v1, Subscriptions v1, Payments v1, Webhooks
v1) and events that were captured from the sandbox. `control` says by which switches it can be made to misbehave.
"""
