"""The command line: what `./notflix` hands over to once its environment stands. One module a concern."""
