"""Runs Notflix: `local` on one machine, `azure` and the Bicep templates in Azure."""
