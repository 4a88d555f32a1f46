"""`az` command lines: those that the project runs, prints or documents, checked by the parser of the Azure CLI."""
