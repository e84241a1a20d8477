"""Certificates of others: a chain in one file, and what the doors that use it then send."""

import ssl
import subprocess

import pytest

from doors import ADDRESS, doors_config, logged_in
from lab import Lab

EXTENSIONS = {"root": "basicConstraints=critical,CA:TRUE", "between": "basicConstraints=critical,CA:TRUE",
              "leaf": "subjectAltName=DNS:router.test"}


def make_chain(folder):
    """A root, an authority between and a leaf, as openssl makes them."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    signer = None
    for name, extension in EXTENSIONS.items():
        (folder / f"{name}.ext").write_text(extension + "\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signs = ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key", "-CAcreateserial"] if signer else [
            "-signkey", f"{name}.key"]
        openssl("x509", "-req", "-in", f"{name}.csr", "-days", "30", "-extfile", f"{name}.ext", "-out",
                f"{name}.pem", *signs)
        signer = name
    return {name: (folder / f"{name}.pem").read_text() for name in EXTENSIONS} | {
        "key": (folder / "leaf.key").read_text()}


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        yield lab.router(doors_config(www_ssl={"disabled": "no"})).start()


def is_trusted(router, port, root):
    """By a client that has nothing but the root."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=root)
    try:
        with router.ns.connect(ADDRESS, port) as sock, context.wrap_socket(sock, server_hostname="router.test"):
            return True
    except ssl.SSLCertVerificationError:
        return False


def test_a_chain_in_one_file_is_sent_whole(router, tmp_path):
    """A row each, as RouterOS names them; the key goes to the one it fits, known ones are not taken twice."""
    made = make_chain(tmp_path)
    chain = router.state / "files" / "chain.pem"
    chain.parent.mkdir(exist_ok=True)
    chain.write_text(made["leaf"] + made["between"] + made["root"] + made["key"])
    with logged_in(router) as api:
        def imported():
            (_, counts, _), *_ = [r for r in api.talk("/certificate/import", "=file-name=chain.pem")
                                  if "certificates-imported" in r[1]]
            return counts["certificates-imported"], counts["private-keys-imported"]

        assert imported() == ("3", "1")
        rows = {row["name"]: row for row in router.print("/certificate")}
        assert {name: row["common-name"] for name, row in rows.items()} == {
            "chain.pem_0": "leaf", "chain.pem_1": "between", "chain.pem_2": "root"}
        assert [row["private-key"] for row in rows.values()] == ["true", "false", "false"]
        for service, port in (("www-ssl", 443), ("api-ssl", 8729)):
            router.ctl(f"/ip/service/set {service} certificate=chain.pem_0")
            assert is_trusted(router, port, made["root"]), service
        router.ctl("/certificate/remove chain.pem_1")
        assert not is_trusted(router, 443, made["root"])
        assert imported() == ("1", "1")
        assert is_trusted(router, 443, made["root"]) and is_trusted(router, 8729, made["root"])
        assert imported() == ("0", "1")
        assert len(router.print("/certificate")) == 3
