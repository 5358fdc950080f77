"""What a campaign needs beside the simulated API: the server that breaks HTTP (tests/upstream/rude), one that
sends bytes that are given, and servers whose certificates are wrong. They listen on 127.0.0.1, at ports
that the stack's guard has to let through."""
import contextlib
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import time

# name: (name or address it is made out to, from, until, signed by our authority)
LONG = ("20200101000000Z", "20490101000000Z")
CERTIFICATES = {
    "trusted": ("IP:127.0.0.1", *LONG, True),
    "expired": ("IP:127.0.0.1", "20200101000000Z", "20200201000000Z", True),
    "not yet": ("IP:127.0.0.1", "20480101000000Z", "20490101000000Z", True),
    "of another host": ("DNS:other.example.com", *LONG, True),
    "self-signed": ("IP:127.0.0.1", *LONG, False),
}
CA_CONF = """[ca]
default_ca = ours
[ours]
new_certs_dir = .
database = index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Authority:
    """Makes certificates with the openssl program, in a folder that is empty."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "ca.conf").write_text(CA_CONF)
        (self.folder / "index").write_text("")
        self.key("ca")
        self.openssl("req", "-x509", "-new", "-key", "ca.key", "-days", "3650", "-subj", "/CN=Play authority", "-out", "ca.pem")
        (self.folder / "ca.pem").chmod(0o644)

    def openssl(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def key(self, name):
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name + ".key")

    def context(self, name):
        whom, since, until, ours = CERTIFICATES[name]
        file = name.replace(" ", "-")
        self.key(file)
        self.openssl("req", "-new", "-key", file + ".key", "-subj", "/CN=" + file, "-out", file + ".csr")
        (self.folder / (file + ".ext")).write_text("subjectAltName = %s\n" % whom)
        signer = ("-cert", "ca.pem", "-keyfile", "ca.key") if ours else ("-selfsign", "-keyfile", file + ".key")
        self.openssl("ca", "-batch", "-notext", "-config", "ca.conf", *signer, "-in", file + ".csr", "-out", file + ".pem",
                     "-startdate", since, "-enddate", until, "-extfile", file + ".ext")
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.folder / (file + ".pem"), self.folder / (file + ".key"))
        return made


class Answers(http.server.BaseHTTPRequestHandler):
    """Page n of a list of bodies, each a JSON array: /anything?page=n, and has_more by an empty page."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        pages = self.server.pages
        n = next((int(word[5:]) for word in self.path.partition("?")[2].split("&") if word.startswith("page=")), 1)
        body = pages[n - 1] if n <= len(pages) else b"[]"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    """Handshakes happen in the connection's own thread, and those that fail are not told."""
    daemon_threads = True

    def __init__(self, pages, context=None):
        super().__init__(("127.0.0.1", 0), Answers)
        self.pages, self.context = pages, context
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, *_):
        pass


class Full:
    """Listens and takes nobody: its queue is full, so that a connection is neither made nor refused."""

    def __init__(self):
        self.listener, self.waiting = socket.socket(), []
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(self.listener.getsockname())
            self.waiting.append(one)

    def end(self):
        for one in (self.listener, *self.waiting):
            one.close()


class Slow:
    """Answers every few seconds with one more byte of a body."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        with contextlib.suppress(OSError):  # when it ends
            while True:
                threading.Thread(target=self.drip, args=self.listener.accept()[:1], daemon=True).start()

    def drip(self, link):
        with contextlib.suppress(OSError), link:  # who asked has gone
            link.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[")
            while True:
                time.sleep(3)
                link.sendall(b" ")

    def end(self):
        self.listener.close()


class Rude:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def end(self):
        self.process.terminate()
        self.process.wait(10)


class Beside:
    """All of them, while it lasts. `settings` lets a stack's runner reach them and trust the authority."""

    def __init__(self, folder, rude, pages):
        authority = Authority(folder)
        self.rude = Rude(rude)
        self.plain = Quiet(pages)
        self.tls = {name: Quiet([json.dumps([{"id": 1}, {"id": 2}]).encode()], authority.context(name))
                    for name in CERTIFICATES}
        # nobody listens there, and nobody else will
        self.taken = socket.socket()
        self.taken.bind(("127.0.0.1", 0))
        self.full, self.slow = Full(), Slow()
        self.ports = [self.rude.port, self.plain.port, self.full.port, self.slow.port, self.taken.getsockname()[1],
                      *(one.port for one in self.tls.values())]
        self.authority = authority.folder / "ca.pem"

    def settings(self, *more):
        return "EGRESS_ALLOW=%s\nRUNNER_CA_FILE=%s\n" % (
            ",".join("127.0.0.1/32:%d" % port for port in (*more, *self.ports)), self.authority)

    def end(self):
        self.rude.end()
        self.taken.close()
        self.full.end()
        self.slow.end()
        for one in (self.plain, *self.tls.values()):
            one.shutdown()
            one.server_close()
