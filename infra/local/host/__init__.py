"""A development host for Azure Functions apps in Python: Microsoft's worker library, and triggers around it.

    python -m infra.local.host --app function_app --port 7071

It reads the real host's `host.json` (and `AzureFunctionsJobHost__…` overrides), follows the real host's trigger rules,
and refuses at start what it does not know. It is for one machine: no scale-out, no portal. Differences:

- a received queue message is hidden for a short lease (`--lease`, 30 s) that is renewed while the function runs, not
  for 10 minutes: work that a killed host held comes back soon;
- on a stop, messages of functions that outlast `--grace` are made visible again at once;
- a wrong method is answered 405, where the real host says 404; one function key opens all functions;
- Event Grid is stood in for by a watcher that lists the container twice a second (Azurite sends no events); it keeps
  in mind what it has reported in the receipts that the real host writes for its scanning source only;
- poison queues, into which this host itself puts nearly all there is, are polled ten times less often;
- a function over `functionTimeout` counts as failed and its message returns, but a thread cannot be killed: a
  synchronous function runs on to its own end, where the real host would restart the worker;
- timers run in UTC in every host process of an app, without the lease that elects one;
- there are no input bindings, no retry policies, no identity-based connections, no streamed HTTP, no reload.
"""
