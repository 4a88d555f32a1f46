"""Set-up: what is configured, and tests of the services that this copy uses."""
