#!/usr/bin/env bash
# Renders the templates for each group of alerts in templates/*.json and compares
# with the .golden file beside it.
#   templates.sh AMTOOL [--update]
set -euo pipefail
amtool=$(command -v "$1") || { echo "$0: there is no $1" >&2; exit 2; }
cd "$(dirname "$0")"

render() { # data, template, type
	"$amtool" template render --template.glob='../templates/*.tmpl' --template.data="$1" \
		--template.type="$3" --template.text="{{ template \"$2\" . }}
"
}

failures=0
for data in templates/*.json; do
	golden=${data%.json}.golden
	got=$(
		render "$data" hedera.title text
		echo "-- text"
		render "$data" hedera.text text
		echo "-- link and color"
		render "$data" hedera.runbook text
		render "$data" hedera.color text
		echo "-- email"
		render "$data" hedera.email html
	)
	[ "${2-}" != --update ] || echo "$got" >"$golden"
	diff -u "$golden" <(echo "$got") || failures=$((failures + 1))
done
[ "$failures" = 0 ]
