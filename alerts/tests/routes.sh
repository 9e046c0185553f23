#!/usr/bin/env bash
# Checks alertmanager.yml, that the alerts it names exist, and that each alert of
# routes.txt goes to its receiver.
#   routes.sh AMTOOL        the file as it is
#   routes.sh AMTOOL 0.26   with its lines for Alertmanager 0.26 and later
set -euo pipefail
amtool=$(command -v "$1") || { echo "$0: there is no $1" >&2; exit 2; }
version=${2-}
cd "$(dirname "$0")/.."

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
activate() { sed "${version:+s/^#$version //}" "$1"; }
config=$directory/alertmanager.yml
activate alertmanager.yml >"$config"
ln -s "$PWD/templates" "$directory/templates"

output=$("$amtool" check-config "$config") || { echo "$output" >&2; exit 1; }

failures=0
fail() {
	echo "routes.sh: $*" >&2
	failures=$((failures + 1))
}

tested=' '
while read -r receiver labels; do
	case $receiver in '' | '#'*) continue ;; esac
	tested+="$receiver "
	# shellcheck disable=SC2086 # the labels are words
	got=$("$amtool" config routes test --config.file="$config" $labels 2>"$directory/stderr") || cat "$directory/stderr" >&2
	[ "$got" = "$receiver" ] || fail "$labels: goes to '$got', want '$receiver'"
done < <(activate tests/routes.txt)

for receiver in $(awk '/^[a-z]/ { section = $1 } section == "receivers:" && /^  - name:/ { print $3 }' "$config"); do
	case $tested in
	*" $receiver "*) ;;
	*) fail "receiver $receiver has no case in routes.txt" ;;
	esac
done

for alert in $(grep -hoE '\bHedera[A-Z][A-Za-z0-9]+' alertmanager.yml tests/routes.txt | sort -u); do
	grep -qh "alert: $alert\$" hedera.*.yml || fail "there is no alert $alert"
done
[ "$failures" = 0 ]
