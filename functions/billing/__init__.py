"""Billing: plans, subscriptions and payments through PayPal, and who may watch because of them."""
