"""Ask a service in this container whether every part of it works: ``python ready.py 8002``; exit status 0 means yes.

Nothing is imported that is not needed: it runs every few seconds in each container.
"""

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=4)
connection.request("GET", "/readyz")
answer = connection.getresponse()
print(answer.read().decode()[:1000])  # what `docker inspect` shows of an unhealthy container
sys.exit(answer.status != 200)
