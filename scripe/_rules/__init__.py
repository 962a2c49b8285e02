"""What the API and we have decided, one idea a file. No I/O: nothing here sleeps or sends.

| File | Decides |
|---|---|
| `config.py` | options and their order: call, `with_options`, client, environment, default |
| `request.py` | what one call is; how ids become paths |
| `idempotency.py` | keys: made, checked, derived |
| `answer.py` | what one attempt brought: an answer or a failure |
| `retry.py` | is it worth another attempt, and after how long |
| `body.py` | the bytes of an answer: inflated, and how many are kept |
| `rate_limit.py` | what the headers say; when the next call may go |
| `response.py` | an answer into a model or an error |
| `pagination.py` | the next page; a restart after a stale cursor |
| `mending.py` | what small oddities of a body are read as |
| `pacing.py` | when to look at a job again |
| `polling.py` | jobs that are waited for: what is known of them, and how their end is told |
| `cancel.py` | what to do after a cancel that was not answered |
| `generation.py` | having a post written: from what, and how long the answer may be held |
| `webhooks.py` | webhook endpoints: what is refused before sending |
| `upload.py` | content types, sizes, one attempt's headers, what storage's answer means |
| `deadline.py` | how long a whole call may still take |
"""
