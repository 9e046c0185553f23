#!/bin/sh
# dpkg says "remove", rpm 0; both say something else before an upgrade.
set -e

case "$1" in
remove | 0)
	systemctl --no-reload disable hedera_exporter.service hedera_exporter.socket >/dev/null 2>&1 || true
	if [ -d /run/systemd/system ]; then
		systemctl stop hedera_exporter.socket hedera_exporter.service
	fi
	;;
esac
