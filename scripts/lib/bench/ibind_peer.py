# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""IBind, unmodified, with a callback that counts; records nothing.

ibind_peer.py PORT CA MESSAGES CONID… prints one line of JSON."""

import json
import os
import resource
import sys
import threading
import time

os.environ |= {"IBIND_LOG_TO_FILE": "false", "IBIND_LOG_LEVEL": "ERROR",
               "IBIND_AUTO_REGISTER_SHUTDOWN": "false"}


def main():
    from ibind import CallbackSink, IbkrClient, IbkrWsClient, events, subscriptions

    port, ca, wanted, conids = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    done, seen, delays = threading.Event(), [0, 0.0], []

    def count(event):
        if not seen[0]:
            seen[1] = time.monotonic()
        seen[0] += 1
        if stamp := event.data.get("volume_long"):  # field 7762, where the server puts it
            delays.append(time.monotonic_ns() - int(stamp))
        if seen[0] >= wanted:
            done.set()

    sink = CallbackSink()
    sink.on(events.MarketData, count)
    url = f"https://localhost:{port}/v1/api/"
    rest = IbkrClient(url=url, cacert=ca)
    socket = IbkrWsClient(url=url.replace("https:", "wss:") + "ws", ibkr_client=rest, cacert=ca,
                          account_id="DU0000001", sink=sink)
    socket.start()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for conid in conids:
        socket.subscribe(subscriptions.MarketDataSubscription(conid=conid, fields=["31", "84", "86"]))
    last, still = -1, 0
    while not done.wait(1) and still < 20:
        last, still = seen[0], still + 1 if seen[0] == last else 0
    seconds, after = time.monotonic() - seen[1], resource.getrusage(resource.RUSAGE_SELF)
    report = {
        "messages": seen[0], "bytes": 0, "seconds": seconds,
        "cpu_user": after.ru_utime - before.ru_utime,
        "cpu_system": after.ru_stime - before.ru_stime, "rss": after.ru_maxrss / 1024,
    }
    if delays:
        delays.sort()
        for name, share in (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999), ("max_us", 1)):
            report[name] = delays[int((len(delays) - 1) * share)] / 1e3
    print(json.dumps(report), flush=True)
    # Its threads may wait for each other for long; everything has been said.
    os._exit(0)


if __name__ == "__main__":
    main()
