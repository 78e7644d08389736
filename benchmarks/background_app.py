"""What many integrators write: answer at once, do it all in a background task.

The task is the plain application's: fetch, regular expression, a row of CSV. Nothing is committed
before the answer; a restart loses whatever was not done yet.
"""

import hashlib
import hmac
import json
import os

import baseline_app
from fastapi import BackgroundTasks, FastAPI, Request, Response

SECRET = os.environ["BASELINE_SECRET"].encode()
app = FastAPI()


@app.post("/webhooks/iadvize", response_class=Response)
async def webhook(request: Request, tasks: BackgroundTasks) -> Response:
    """Answer, then do it."""
    raw = await request.body()
    signed = "sha256=" + hmac.new(SECRET, raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signed, request.headers.get("x-iadvize-signature", "")):
        return Response(status_code=401)
    tasks.add_task(baseline_app.keep, json.loads(raw)["conversationId"])
    return Response(status_code=204, background=tasks)
