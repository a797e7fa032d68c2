"""A server on loopback that plays ORCID: the page where people sign in, its tokens, its public records."""

import contextlib
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit


class Orcid:
    """Whoever opens its sign-in page is signed in as `orcid`, or does what `answer` says instead.

    `asked` are the paths that were asked for; `tokens` the ones it gave out.
    """

    client, secret = "APP-TEST", "the secret of the application"

    def __init__(self):
        self.orcid = "0000-0002-1825-0097"
        self.answer = ""
        self.url = ""
        self.asked, self.tokens, self._codes = [], [], {}

    def authorize(self, query):
        """Send the browser back with a code."""
        assert (query["client_id"], query["response_type"]) == (self.client, "code")
        if self.answer in {"access_denied", "server_error"}:
            return f"{query['redirect_uri']}?{urlencode({'error': self.answer, 'state': query['state']})}"
        code = secrets.token_hex(3)
        self._codes[code] = query["redirect_uri"]
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form):
        """Exchange a code, once, for whoever knows the application's secret."""
        is_ours = (form.get("client_id"), form.get("client_secret")) == (self.client, self.secret)
        if not is_ours or self._codes.pop(form.get("code"), None) != form.get("redirect_uri"):
            return 401, {"error": "invalid_client"}
        if self.answer == "no-orcid":
            return 200, {"access_token": "a token", "token_type": "bearer"}
        self.tokens.append(secrets.token_hex(16))
        return 200, {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 600, "orcid": self.orcid}

    def record(self, path):
        """Return a public record: more than anybody needs, a mail address of an account here too."""
        if path != f"/v3.0/{self.orcid}/record" or self.answer == "no-record":
            return 404, {"error-desc": {"value": "no such record"}}
        return 200, {
            "orcid-identifier": {"uri": f"https://orcid.org/{self.orcid}", "path": self.orcid, "host": "orcid.org"},
            "person": {
                "name": {"given-names": {"value": "Ada"}, "family-name": {"value": "Example"}},
                "emails": {"email": [{"email": "organiser@example.org", "verified": True, "primary": True}]},
            },
        }


@contextlib.contextmanager
def running():
    """Run it until the block ends."""
    orcid = Orcid()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            orcid.asked.append(parts.path)
            if parts.path == "/oauth/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", orcid.authorize(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._json(*orcid.record(parts.path))

        def do_POST(self):
            orcid.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._json(*orcid.token(form))

        def _json(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    orcid.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield orcid
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
