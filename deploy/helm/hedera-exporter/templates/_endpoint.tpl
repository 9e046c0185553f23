{{- /* An endpoint of a ServiceMonitor or PodMonitor. */ -}}
{{- define "hedera-exporter.endpoint" -}}
{{- $endpoint := dict "port" "metrics" "scheme" (.monitor.scheme | default (include "hedera-exporter.scheme" .root)) }}
{{- range $key := list "interval" "scrapeTimeout" "honorLabels" "tlsConfig" "basicAuth" "relabelings" "metricRelabelings" }}
{{- with get $.monitor $key }}{{ $_ := set $endpoint $key . }}{{ end }}
{{- end }}
{{- toYaml (list $endpoint) }}
{{- end }}
