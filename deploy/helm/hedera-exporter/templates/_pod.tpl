{{- /* A probe of path, where probe has no handler of its own. */ -}}
{{- define "hedera-exporter.probe" -}}
{{- $probe := omit .probe "enabled" }}
{{- if or $probe.httpGet $probe.tcpSocket $probe.grpc $probe.exec }}
{{- else if include "hedera-exporter.webSecret" .root }}
{{- $url := printf "--url=%s://127.0.0.1:10102%s" (include "hedera-exporter.scheme" .root) .path }}
{{- $probe = mergeOverwrite (dict "timeoutSeconds" 5) $probe (dict "exec" (dict "command" (list "/bin/hedera_exporter" "healthcheck" "--insecure-skip-verify" $url))) }}
{{- else }}
{{- $probe = merge (dict "httpGet" (dict "path" .path "port" "metrics")) $probe }}
{{- end }}
{{- toYaml $probe }}
{{- end }}

{{- define "hedera-exporter.podSecurityContext" -}}
{{- toYaml (ternary (omit .Values.podSecurityContext "runAsUser" "runAsGroup" "fsGroup") .Values.podSecurityContext .Values.openshift) }}
{{- end }}

{{- /* The source of the volume with hedera_exporter.yml. */ -}}
{{- define "hedera-exporter.config" -}}
{{- with .Values }}
{{- if and .existingConfigMap .existingSecret }}{{ fail "existingConfigMap and existingSecret exclude each other" }}{{ end }}
{{- if .existingSecret -}}
secret: {secretName: {{ .existingSecret }}, defaultMode: 0440}
{{- else -}}
configMap: {name: {{ .existingConfigMap | default (include "hedera-exporter.fullname" $) }}}
{{- end }}
{{- end }}
{{- end }}
