#!/usr/bin/env bash
# Writes the manual pages of both programs and what completes their flags in bash
# and zsh; make generate runs it.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${GO:-go}" build -buildvcs=false -o "$work/" ./cmd/...

# page PROGRAM: kingpin's has the build's version and platform in its title, and
# no line that whatis could show.
page() {
	local manual about
	manual=$("$work/$1" --help-man)
	about=$(sed -n '/^\.SH "DESCRIPTION"/{n;s/\.$//;p}' <<<"$manual")
	echo ".TH $1 1"
	sed -n '/^\.SH "NAME"/,$p' <<<"$manual" | sed "2s|.*|$1 \\\\- $about|"
}

cd deploy/packages
for program in hedera_exporter hedera_simulator; do
	page "$program" >"$program.1"
	# zsh reads #compdef from the first line only, which kingpin leaves empty.
	"$work/$program" --completion-script-zsh | sed '/./,$!d' >"_$program"
	"$work/$program" --completion-script-bash | sed '/./,$!d' >"$program.bash"
done
