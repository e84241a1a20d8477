"""Runs the fuzz targets of tests/fuzz, which stand in a build folder of clang with libFuzzer.

    python3 fuzz.py BUILD_DIR RESULTS [--runs N] [NAME...]

Found inputs are kept in RESULTS/fuzz-NAME; a crash is shown and makes a failure. Runs are counted,
not timed, and begin with the same seed, so that a run on one machine says the same as on another.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A leak and what is undefined are findings like any other.
WATCH = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}

# name: the longest input
TARGETS = {
    "clients": 800, "concentrator": 600, "console": 400, "dhcp": 600, "doors": 800, "helpers": 800,
    "input": 800, "names": 300, "ppp": 400, "pppoe": 300, "script": 400, "wire": 1200,
}
# A whole model is made for each input of these, or a whole network.
SLOW = {"script": 10, "console": 10, "clients": 30, "concentrator": 30, "wire": 4}

# Inputs to begin with, so that the first checks are behind every run: a DHCP offer with an address,
# a mask, a router, classless routes and times; a PADO and an LCP packet in a session.
OFFER = (bytes.fromhex("02010600 01020304 00008000") + bytes(4) + bytes([203, 0, 113, 50]) + bytes(8)
         + bytes.fromhex("020000000001") + bytes(202) + bytes.fromhex(
             "63825363 350102 3604cb007101 330400000258 0104ffffff00 0304cb007101 0608cb007135cb007136"
             "790d18c63364cb00710900cb007101 3a0400000064 3b04000000c8 ff"))
PADO = bytes.fromhex("020000000002 02ac00000001 8863 1107 0000 0014 0101 0000 0103 0002 abcd"
                     "0104 0002 0102 0102 0000")
SESSION = bytes.fromhex("020000000002 02ac00000001 8864 1100 0011 000c c021 01 01 000a 0506 01020304")


def sentence(*words):
    return b"".join(bytes([len(word)]) + word.encode() for word in words) + b"\0"


API = [sentence("/login", "=name=admin", "=password="),
       sentence("/interface/print", "=.proplist=name,type", "?type=ether", "?name=a", "?#|", ".tag=7"),
       sentence("/ip/route/print", "?>distance=1", "?-comment", "?#!&.")]
REST = [b"GET\n/rest/interface?type=ether&.proplist=name%2Ctype\nBasic YWRtaW46eA==\n",
        b'POST\n/rest/ip/address/print\n\n{".proplist": ["address"], ".query": ["interface=a", "#!"]}',
        b'PUT\n/rest/ip/firewall/filter\n\n{"chain": "forward", "disabled": true, "log": "no"}',
        b'PATCH\n/rest/ip/route/*1\n\n{"!comment": "", "distance": 16}']
SCRIPTS = [
    b'/interface macvlan\nadd interface=ether1 name=m1 \\\n    mode=private\nset [find name~"^m"] comment="a\\"b"',
    b':local a {1;"b";c=2}; :foreach k,v in=$a do={ :put "$k=$v" }; :for i from=1 to=3 do={ :log info $i }',
    b':do { /ip address add address=1.2.3.4/24 interface=x } on-error={ :put ([:len "x"] + 0x10 . "y") }',
    b'/ip firewall filter print where chain=input and (disabled=no || !dynamic) proplist=chain,action',
    b':global f do={ :return ($1 + 1) }; :if ([$f 2] = 3) do={ :delay 1s } else={ :error "no" }',
]
LINES = [b'{"run": "/interface print", "width": 80}\n{"complete": "/ip ad", "at": 6}\n{"input": "x"}\n{"stop": true}\n',
         *(b'{"run": ' + json.dumps(one.decode()).encode() + b"}\n" for one in SCRIPTS)]
FTP = [b"PORT 192,168,88,10,78,32\r\n", b"EPRT |1|10.0.0.1|6275|\r\n", b"227 Passive (10,0,0,1,4,1)\r\n",
       b"229 Passive (|||6446|)\r\n",
       bytes.fromhex("0015 07d0 00000400 00001800 8010 0400 0000 0000 0101 050a 00001900 00001a00")]
SIP = [b"INVITE sip:a@10.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.2:5061;received=10.0.0.3;rport=9\r\n"
       b"Contact: \"x\" <sip:b@10.0.0.2:99>;expires=60, <sip:c@10.0.0.4>\r\nCSeq: 1 INVITE\r\ni: z\r\n"
       b"Content-Length: 110\r\n\r\nv=0\r\no=- 1 1 IN IP4 10.0.0.2\r\nc=IN IP4 10.0.0.2\r\nm=audio 8000 "
       b"RTP/AVP 0\r\na=rtcp:8001 IN IP4 10.0.0.2\r\n",
       b"SIP/2.0 200 OK\r\nCSeq: 2 REGISTER\r\nm: <sip:b@10.0.0.2:99>\r\nExpires: 3\r\nl: 0\r\n\r\n"]
PPTP = [bytes.fromhex("0020 0001 1a2b3c4d 0008 0000 0064 0007 01") + bytes(15)]
# Steps of concentrator_fuzz.cpp: time, PADO, PADS, then what the client asks is granted.
DIAL = bytes.fromhex("06ff00 010000 010a00 040800 040000 040000 041800 040000")
# Steps of clients_fuzz.cpp: time, an offer, an acknowledgement with a lease time, a name.
LEASE = bytes.fromhex("07ff00 010806 3304000000ff 0118 06 330400000258 07ff00 040005 7063312c6c")
SEEDS = {"concentrator": [DIAL], "clients": [LEASE], "helpers": FTP + SIP + PPTP,
         "doors": [b"\x0c" + one for one in API] + [b"\x01" + one for one in REST],
         "script": SCRIPTS, "console": LINES, "dhcp": [OFFER], "pppoe": [PADO, SESSION], "ppp": [
    bytes.fromhex("070000 0a 01 01 000a 0506 01020304") + bytes.fromhex("0700 0300")]}


def run(name, options):
    program = options.build.resolve() / "tests" / "fuzz" / f"{name}_fuzz"
    corpus = options.results / f"fuzz-{name}"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS.get(name, [])):
        (corpus / f"seed{number}").write_bytes(seed)
    done = subprocess.run(
        # Entropic weights went over the whole corpus for every input: three quarters of the time.
        [program, corpus, f"-runs={options.runs // SLOW.get(name, 1)}", "-seed=1", "-timeout=20",
         "-entropic=0", "-len_control=0", "-rss_limit_mb=2048",
         f"-max_len={TARGETS[name]}", f"-artifact_prefix={corpus}/", "-print_final_stats=0"],
        capture_output=True, text=True, errors="replace", check=False, env={**os.environ, **WATCH})
    last = done.stderr.strip().splitlines()[-1:] or [""]
    return name, done.returncode, done.stderr[-6000:] if done.returncode else last[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("names", nargs="*", default=sorted(TARGETS))
    parser.add_argument("--runs", type=int, default=100_000)
    options = parser.parse_args()
    sources = {path.stem.removesuffix("_fuzz") for path in (ROOT / "tests" / "fuzz").glob("*_fuzz.cpp")}
    if sources != TARGETS.keys():
        raise SystemExit(f"TARGETS and tests/fuzz differ: {', '.join(sorted(sources ^ TARGETS.keys()))}")
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for name, code, text in pool.map(lambda one: run(one, options), options.names):
            print(f"  {name}: {'failed' if code else 'ok'}: {text}")
            failed += code != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
