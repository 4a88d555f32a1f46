"""Azure: what a deployment does beside the template, as steps that may each be run again, and what it will cost."""
