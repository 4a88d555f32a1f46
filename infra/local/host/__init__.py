"""A development host for Azure Functions apps in Python: Microsoft's worker library and its own triggers.

    python -m infra.local.host --app function_app --port 7071

It reads the same `host.json` (and `AzureFunctionsJobHost__…` overrides) and follows the same trigger rules as the real
host. It refuses to start an app that uses an unsupported feature. It is for one machine: no scale-out, no portal.

Differences from the real host:

- a received queue message is hidden for 30 s (`--lease`), renewed while the function runs, instead of for 10 minutes,
  so the messages of a killed host are retried soon;
- on a stop, messages of functions that outlast `--grace` are made visible again at once;
- a wrong method gets 405, where the real host answers 404; one function key is valid for all functions;
- a watcher that lists the container twice a second replaces Event Grid, because Azurite sends no events; it remembers
  reported blobs in receipts, which the real host writes only for its scanning source;
- poison queues are polled ten times less often, because nearly all their messages come from this host;
- a function that exceeds `functionTimeout` counts as failed and its message is retried, but a thread cannot be killed:
  a synchronous function continues to its end, where the real host restarts the worker;
- timers run in UTC in every host process of an app, without the lease that elects one;
- there are no input bindings, no retry policies, no identity-based connections, no streamed HTTP, no reload.
"""
