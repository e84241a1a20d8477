# shellcheck shell=bash
# The network of the demo: namespaces, cables, servers, the router, and the checks. Sourced by
# scripts/run.sh.

HOSTS=(ml-router ml-isp ml-switch ml-pc ml-iot ml-web1 ml-web2 ml-cam1 ml-cam2)
LOCK=/run/maclane-demo.lock
PASSED=0 FAILED=0
ROUTER='' SERVERS=()

in_ns() {
  local ns=$1
  shift
  ip netns exec "$ns" "$@"
}

ctl() { build/maclanectl --socket "$SOCKET" "$@"; }

# One demo at a time: the names of its namespaces are fixed, so that people can type them.
scene_begin() {
  exec 9>"$LOCK"
  flock -n 9 || fail "another scripts/run.sh is running on this machine"
  RUN_DIR=$(mktemp -d /tmp/maclane-demo.XXXXXX)
  chmod 755 "$RUN_DIR"
  CONFIG=$RUN_DIR/soho.yaml SOCKET=$RUN_DIR/maclane.sock LOG=$RUN_DIR/maclane.log
  local ns
  for ns in "${HOSTS[@]}"; do ip netns del "$ns" 2>/dev/null || true; done
}

scene_end() {
  local pid ns
  for pid in "$ROUTER" "${SERVERS[@]}"; do
    [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
  done
  for pid in "$ROUTER" "${SERVERS[@]}"; do
    [[ -z $pid ]] || wait "$pid" 2>/dev/null || true
  done
  for ns in "${HOSTS[@]}"; do ip netns del "$ns" 2>/dev/null || true; done
  rm -rf "$RUN_DIR"
}

# cable NS DEVICE: a veth from a host into the switch.
cable() {
  local port=p-${1#ml-}
  ip -n "$1" link add "$2" type veth peer name "$port" netns ml-switch
  ip -n ml-switch link set "$port" master br0 up
  ip -n "$1" link set "$2" up
}

address() { # NS DEVICE ADDRESS [GATEWAY]
  ip -n "$1" addr add "$3" dev "$2"
  [[ -z ${4-} ]] || ip -n "$1" route add default via "$4"
}

ready() { grep -q 'forwarding' "$LOG" || ! kill -0 "$ROUTER" 2>/dev/null; }

scene_up() {
  local ns
  for ns in "${HOSTS[@]}"; do
    ip netns add "$ns"
    in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
      2>/dev/null || true
    ip -n "$ns" link set lo up
  done

  # The router: its net_tap devices appear in ml-router and are plugged in where they belong.
  cp conf/soho.yaml "$CONFIG"
  mkdir "$RUN_DIR/state"
  ip netns exec ml-router build/maclane "$CONFIG" --state "$RUN_DIR/state" --socket "$SOCKET" \
    2>"$LOG" &
  ROUTER=$!
  until_true 60 ready || fail "the router does not come up; its log: $(cat "$LOG")"
  kill -0 "$ROUTER" 2>/dev/null || fail "the router ended; its log: $(cat "$LOG")"

  ip -n ml-router link set mlwan netns ml-isp
  ip -n ml-isp link set mlwan up
  address ml-isp mlwan 203.0.113.1/24
  ip -n ml-switch link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  ip -n ml-switch link set br0 up
  ip -n ml-router link set mllan netns ml-switch
  ip -n ml-switch link set mllan master br0 up

  cable ml-pc eth0
  address ml-pc eth0 192.168.88.10/24 192.168.88.1
  cable ml-iot eth0
  address ml-iot eth0 192.168.99.10/24 192.168.99.1
  local n=11 host
  for host in web1 web2 cam1 cam2; do
    address "ml-$host" "$host" "192.168.77.$n/24" 192.168.77.1
    n=$((n + 1))
  done

  serve_web ml-isp
  serve_web ml-web1
  head -c 20000000 /dev/urandom >"$RUN_DIR/www-ml-isp/root/big.bin"
  ip netns exec ml-isp iperf3 -s >/dev/null 2>&1 &
  SERVERS+=($!)
  until_true 20 listens ml-isp 5201 || fail "iperf3 does not start"
}

listens() { in_ns "$1" ss -Hltn "sport = :$2" | grep -q LISTEN; }

# A web server on port 80 that logs who asked.
serve_web() {
  local ns=$1 dir=$RUN_DIR/www-$1
  mkdir -p "$dir/root" "$dir/tmp"
  chmod 777 "$dir/tmp"
  echo "hello from $ns" >"$dir/root/index.html"
  cat >"$dir/nginx.conf" <<NGINX
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/error.log;
events { worker_connections 256; }
http {
  log_format peer '\$remote_addr';
  access_log $dir/peers.log peer;
  client_body_temp_path $dir/tmp;
  proxy_temp_path $dir/tmp;
  fastcgi_temp_path $dir/tmp;
  uwsgi_temp_path $dir/tmp;
  scgi_temp_path $dir/tmp;
  server { listen 80; root $dir/root; }
}
NGINX
  ip netns exec "$ns" nginx -e "$dir/error.log" -c "$dir/nginx.conf" >/dev/null 2>&1 &
  SERVERS+=($!)
  until_true 20 listens "$ns" 80 || fail "nginx does not start in $ns: $(cat "$dir/error.log")"
}

# Checks ------------------------------------------------------------------------------------------

# check SENTENCE COMMAND...: holds if the command succeeds.
check() {
  local sentence=$1 shown
  shift
  shown=${SHOWN:-$*}
  if "$@" >"$RUN_DIR/out" 2>&1; then
    PASSED=$((PASSED + 1))
    printf '  ✓ %-62s %s\n' "$sentence" "$shown"
  else
    FAILED=$((FAILED + 1))
    printf '  ✗ %-62s %s\n' "$sentence" "$shown"
    sed 's/^/      /' "$RUN_DIR/out"
  fi
}

# check_not SENTENCE COMMAND...: holds if the command fails.
check_not() {
  local sentence=$1
  shift
  SHOWN="$*" check "$sentence" not "$@"
}

not() { ! "$@"; }

ping_once() { ip netns exec "$1" ping -n -c 1 -W "${3:-3}" "$2"; }

# Pinging, with the command as people type it beside the sentence.
reaches() {
  SHOWN="ip netns exec $2 ping -c 1 $3" check "$1" ping_once "$2" "$3"
}
reaches_not() {
  SHOWN="ip netns exec $2 ping -c 1 -W 1 $3" check "$1" not ping_once "$2" "$3" 1
}

# The router's count of the rule with this comment.
counted() {
  ctl --json /ip/firewall/filter/print |
    jq -r --arg comment "$1" '.[] | select(.comment == $comment) | .packets'
}

rule_counts() { [[ $(counted "$1") -gt 0 ]]; }

only_peer() { [[ $(sort -u "$RUN_DIR/www-ml-isp/peers.log") == "$1" ]]; }

fetch_whole() {
  local sum
  sum=$(in_ns "$1" curl -sS --max-time 60 http://203.0.113.1/big.bin | sha256sum)
  [[ $sum == "$(sha256sum <"$RUN_DIR/www-ml-isp/root/big.bin")" ]]
}

mbits() {
  in_ns ml-pc iperf3 -c 203.0.113.1 -t 2 -f m "$@" >"$RUN_DIR/iperf" 2>&1 || return 1
  sed -n 's/.* \([0-9.]* Mbits\/sec\).*receiver.*/\1/p' "$RUN_DIR/iperf" | grep .
}

session_of_pc() {
  ctl --json /ip/firewall/connection/print where src-address=192.168.88.10 |
    jq -e 'any(.[]; ."reply-dst-address" == "203.0.113.2")'
}

scene_checks() {
  say " Internet, masqueraded"
  check "the PC reads a page of the ISP's web server" \
    ip netns exec ml-pc curl -sS --fail --max-time 10 http://203.0.113.1/
  check "so does the IoT device" \
    ip netns exec ml-iot curl -sS --fail --max-time 10 http://203.0.113.1/
  SHOWN="sort -u $RUN_DIR/www-ml-isp/peers.log" \
    check "the server saw one address: 203.0.113.2" only_peer 203.0.113.2
  reaches "the PC pings the ISP" ml-pc 203.0.113.1
  SHOWN="maclanectl /ip/firewall/connection/print" \
    check "the connections are translated in the router's table" session_of_pc
  SHOWN="ip netns exec ml-pc curl http://203.0.113.1/big.bin | sha256sum" \
    check "20 MB arrive unchanged" fetch_whole ml-pc
  SHOWN="ip netns exec ml-pc iperf3 -c 203.0.113.1" check "iperf3, PC to ISP" mbits
  say "      $(cat "$RUN_DIR/out")"
  SHOWN="ip netns exec ml-pc iperf3 -c 203.0.113.1 -R" check "iperf3, ISP to PC" mbits -R
  say "      $(cat "$RUN_DIR/out")"

  say " IoT apart from the LAN"
  reaches_not "the IoT device does not reach the PC through the router" ml-iot 192.168.88.10
  SHOWN="maclanectl /ip/firewall/filter/print stats" \
    check "the rule that stops it counted the try" rule_counts "forward: IoT not to the LAN"
  reaches "the PC reaches the IoT device, answers come back" ml-pc 192.168.99.10

  say " The router itself"
  reaches "the router answers the PC's ping" ml-pc 192.168.88.1
  reaches_not "it drops new connections from IoT: ping" ml-iot 192.168.99.1
  check_not "it drops new connections from IoT: TCP" \
    ip netns exec ml-iot curl -sS --connect-timeout 2 http://192.168.99.1/
  SHOWN="maclanectl /ip/firewall/filter/print stats" \
    check "the rule that drops them counted the tries" rule_counts "input: nothing new from IoT"
  check_not "from the internet nothing but ping comes in: TCP" \
    ip netns exec ml-isp curl -sS --connect-timeout 2 http://203.0.113.2/

  say " Hosts attached to the port"
  reaches "bridge: web1 and web2 reach each other" ml-web1 192.168.77.12
  reaches_not "private: cam1 and cam2 do not" ml-cam1 192.168.77.14
  reaches_not "private: neither do cam1 and web1" ml-cam1 192.168.77.11
  reaches "web1 reaches the internet by its macvlan router" ml-web1 203.0.113.1
  check "the ISP reaches web1's web server, published on port 8080" \
    ip netns exec ml-isp curl -sS --fail --max-time 10 http://203.0.113.2:8080/
}

# A configuration of the user's own ---------------------------------------------------------------

# The namespaces that attached macvlans name are made if they are not there, and taken away again.
run_own() {
  local file=$1 name made=()
  while read -r name; do
    if ! ip netns pids "$name" >/dev/null 2>&1; then
      ip netns add "$name"
      ip -n "$name" link set lo up
      made+=("$name")
      say "made the network namespace $name"
    fi
  done < <(sed -n 's/^[^#]*netns: *"\{0,1\}\([A-Za-z0-9._-]*\).*/\1/p' "$file" | sort -u)
  RUN_DIR=$(mktemp -d /tmp/maclane-run.XXXXXX)
  head1 "Starting the router with $file (Ctrl-C ends it)"
  say "console: $ROOT/build/maclanectl --socket $RUN_DIR/maclane.sock"
  local code=0
  build/maclane "$file" --state "$RUN_DIR" --socket "$RUN_DIR/maclane.sock" &
  ROUTER=$!
  trap 'kill -TERM "$ROUTER" 2>/dev/null || true' INT TERM
  while kill -0 "$ROUTER" 2>/dev/null; do
    code=0
    wait "$ROUTER" || code=$?
  done
  for name in "${made[@]}"; do ip netns del "$name" 2>/dev/null || true; done
  rm -rf "$RUN_DIR"
  return "$code"
}
