{{- /*
The severity of an alert of severity own, by map. The severity of an alert without
one of its own is that of its series, which Prometheus finds.
*/ -}}
{{- define "hedera-exporter.severity" -}}
{{- if .own }}{{ get .map .own | default .own }}
{{- else if .map }}
{{- range $old, $new := .map }}{{ printf "{{ if eq $labels.severity %q }}%s{{ else }}" $old $new }}{{ end }}
{{- "{{ $labels.severity }}" }}{{ repeat (len .map) "{{ end }}" }}
{{- end }}
{{- end }}
