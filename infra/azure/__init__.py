"""Azure: the steps of a deployment besides the template, each of which may be run again, and its costs."""
