#!/usr/bin/env bash
# Starts the simulated network and the exporter on it, shows some of its series
# and keeps both running until it is stopped. Needs no network but loopback. With
# DEMO_FREE_PORTS=1 it takes any free ports.
set -euo pipefail

bin=${1:?usage: demo.sh DIRECTORY-WITH-THE-PROGRAMS}
listen=${DEMO_LISTEN_ADDRESS:-127.0.0.1:${DEMO_FREE_PORTS:+0}}
listen=${listen/%:/:10102}
work=$(mktemp -d)
pids=()

stop() {
	trap - EXIT INT TERM
	((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null
	wait
	rm -rf "$work"
}
trap 'stop; exit 0' INT TERM
trap stop EXIT

fail() {
	echo "demo: $1; its log:" >&2
	cat "$2" >&2
	exit 1
}

# await PID LOG WHAT COMMAND...: wait until COMMAND succeeds, while PID lives.
await() {
	local pid=$1 log=$2 what=$3
	shift 3
	for _ in $(seq 1200); do
		"$@" >/dev/null 2>&1 && return
		kill -0 "$pid" 2>/dev/null || fail "$what has ended" "$log"
		sleep 0.1
	done
	fail "$what did not answer within two minutes" "$log"
}

# A server that is there already would be taken for ours.
for address in "$listen" ${DEMO_FREE_PORTS:-127.0.0.1:15551 127.0.0.1:15600 127.0.0.1:15700}; do
	[[ $address == *:* && $address != *:0 ]] || continue
	if (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; then
		echo "demo: another program listens on $address; stop it, or use free ports: DEMO_FREE_PORTS=1 make demo" >&2
		exit 1
	fi
done

"$bin/hedera_simulator" ${DEMO_FREE_PORTS:+--rest.listen-address=127.0.0.1:0 --grpc.listen-address=127.0.0.1:0 --node.base-port=0} \
	--config.well --config.canary-key="$work/canary_key" --write-config="$work/hedera_exporter.yml" 2>"$work/simulator.log" &
pids+=($!)
await $! "$work/simulator.log" "the simulator" test -s "$work/hedera_exporter.yml"
mirror=$(sed -n 's/^ *url: //p' "$work/hedera_exporter.yml")

"$bin/hedera_exporter" --config.file="$work/hedera_exporter.yml" --web.listen-address="$listen" 2>"$work/exporter.log" &
pids+=($!)
await $! "$work/exporter.log" "the exporter" grep -q 'msg="Listening on"' "$work/exporter.log"
listen=$(sed -n 's/.*msg="Listening on" address=\([^ ]*\).*/\1/p' "$work/exporter.log" | head -n 1)
await $! "$work/exporter.log" "the exporter" curl -fsS --noproxy '*' "http://$listen/-/ready"

curl -fsS --noproxy '*' "http://$listen/metrics" >"$work/metrics"

cat <<EOF

hedera_exporter is running on a simulated 29-node Hedera network:

  http://$listen/            landing page
  http://$listen/metrics     $(grep -c '^hedera_' "$work/metrics") series; some of them:

EOF
for series in account_balance_hbar account_balance_minimum_hbar account_exists address_book_nodes \
	node_stake_hbar node_endpoint_up node_endpoint_probe_duration_seconds scrape_collector_success; do
	grep -m 2 "^hedera_$series{" "$work/metrics" | sed 's/^/  /'
done
cat <<EOF

Break it: curl -X POST $mirror/simulator/nodes/4/stop
      or: curl -X PUT -d '{"tinybar":1}' $mirror/simulator/accounts/0.0.98/balance
     all: curl $mirror/simulator/

Configuration: $work/hedera_exporter.yml
Logs:          $work/*.log
Press Ctrl-C to stop.
EOF
wait
