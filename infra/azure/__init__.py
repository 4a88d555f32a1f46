"""The deployment to Azure: its costs, and the steps that the template cannot do; each may be run again."""
