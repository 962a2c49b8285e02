"""The decisions of the client, one topic a file. Nothing here sleeps, sends or reads a file.

| File | Decides |
|---|---|
| `config.py` | options and their order of precedence: call, `with_options`, client, environment, default |
| `request.py` | paths, queries and bodies of requests |
| `idempotency.py` | idempotency keys: make, check, derive |
| `ledger.py` | what a write does whose idempotency key a ledger remembers |
| `settlement.py` | whether the lists of the API prove that an unanswered write was done |
| `bulk.py` | how a bulk run goes on, pauses and stops, and when it looks for its jobs |
| `outcome.py` | the outcome of one attempt: a response, or a failure of the transport |
| `retry.py` | whether to send a request again, and after how long |
| `rate_limit.py` | when the next request may be sent, by the headers of past responses |
| `deadline.py` | how much time the whole call has left |
| `body.py` | the bytes of a response: decompress them, and limit their number |
| `json_repair.py` | how to read a response body that is almost JSON |
| `response.py` | a response into a model or an error |
| `pagination.py` | the next page, and the restart after a stale cursor |
| `polling.py` | the jobs that a wait is for, and their end as a result or an error |
| `poll_throttle.py` | when to ask for a job again |
| `cancellation.py` | the result of a cancel that got no response |
| `generation.py` | the source and the server-side wait of a generated post |
| `uploads.py` | content types, sizes, headers of an upload, and the meaning of storage's responses |
| `webhooks.py` | the arguments of webhook endpoints |
| `diagnosis.py` | what a look at machine, network, API and credential shows, and what to do about it |
| `diagnosis_report.py` | what of it may be shown to anybody |
| `fact_probes.py` | whether the API behaves as was assumed |
| `metadata_probes.py` | the same, of the metadata of the authorization server and of the hosted MCP server |
| `oauth/` | logins, in files of their own |
"""
