"""The command line: `./notflix` runs it once its Python environment is installed."""
