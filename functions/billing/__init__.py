"""Billing: plans, subscriptions and payments through PayPal, and the access that they entitle viewers to."""
