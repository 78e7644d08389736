"""``python hurried.py serve`` is ``chatferry serve`` whose minutes and hours pass in a second or two.

Only waits that no setting shortens. The tests can then see that all is well again *by itself*: where
an operator resumes and retries what is paused, work that is forgotten looks like work that waits.
With ``STANDBY`` in the environment it loads everything and then waits for its input to end.
"""

from __future__ import annotations

import os
import sys

from chatferry import schedule

schedule._NOT_READY = (0.1, 0.3, 1.0, 1.0, 1.0)
schedule.WAITED_FOR_CLOSE = sum(schedule._NOT_READY)
schedule.PROBE_CREDENTIALS = 1.0
schedule._PROBES = (0.1, 0.3, 1.0)
schedule.QUOTA_PAUSE = 1.0
schedule.LONGEST_DELAY = 2.0

if __name__ == "__main__":  # the web server's processes import this again
    from chatferry.cli import main

    if os.environ.pop("STANDBY", ""):
        import chatferry.assembly
        import chatferry.cli.serve
        import chatferry.plugins
        import chatferry.web.server  # noqa: F401  (what a start takes its time for)

        sys.stdin.read()
    main()
