#!/bin/sh
# The service is not started before it has been configured.
set -e

systemd-sysusers hedera_exporter.conf
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# After an upgrade, where it runs.
	systemctl try-restart hedera_exporter.service
fi
