#!/bin/sh
# The user goes with the configuration, whose files may be of its group; rpm
# keeps both.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /etc/hedera_exporter
	if getent passwd hedera_exporter >/dev/null; then
		userdel hedera_exporter
	fi
fi
