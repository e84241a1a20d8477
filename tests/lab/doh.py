"""A DNS over HTTPS server: nginx speaks HTTP/2 and TLS, and hands the questions to this file."""

import http.server
import sys

from scapy.layers.dns import DNS, DNSRR

NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {directory};
  proxy_temp_path {directory};
  fastcgi_temp_path {directory};
  uwsgi_temp_path {directory};
  scgi_temp_path {directory};
  server {{
    listen {address}:443 ssl http2;
    ssl_certificate {directory}/certificate.pem;
    ssl_certificate_key {directory}/key.pem;
    location / {{
      proxy_pass http://127.0.0.1:8053;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
    }}
  }}
}}
"""


class DohServer:
    """Answers every question with one address; asked() are the names it heard."""

    def __init__(self, namespace, name, address, answer):
        from services import answers
        from lab import wait_until

        directory = namespace.lab.directory / "doh"
        directory.mkdir()
        directory.chmod(0o777)
        namespace.ip("link", "set", "lo", "up")
        namespace.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-keyout",
                      directory / "key.pem", "-out", directory / "certificate.pem", "-subj",
                      f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
        self.certificate = (directory / "certificate.pem").read_text()
        config = directory / "nginx.conf"
        config.write_text(NGINX.format(directory=directory, address=address))
        self.backend = namespace.popen("doh-backend", sys.executable, __file__, answer)
        self.nginx = namespace.popen("doh-nginx", "nginx", "-c", config, "-e",
                                     directory / "error.log")
        wait_until(lambda: answers(namespace, 8053) and answers(namespace, 443, address), 20,
                   lambda: self.nginx.err() + self.backend.err())

    def asked(self):
        return [line.split()[1] for line in self.backend.out().splitlines()]


class _Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        question = DNS(self.rfile.read(int(self.headers["content-length"])))
        print(self.path, question.qd.qname.decode().rstrip("."), flush=True)
        known = DNSRR(rrname=question.qd.qname, type="A", ttl=60, rdata=sys.argv[1])
        reply = bytes(DNS(id=question.id, qr=1, rd=1, ra=1, qd=question.qd,
                          an=known if question.qd.qtype == 1 else None))
        self.send_response(200)
        self.send_header("content-type", "application/dns-message")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 8053), _Backend).serve_forever()
