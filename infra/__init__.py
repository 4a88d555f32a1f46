"""What runs Notflix: on one machine under `local/`, in Azure by the templates beside it."""
