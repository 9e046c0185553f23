{{- define "hedera-exporter.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- /* Short enough for a StatefulSet, whose pods have a label of it and a hash. */ -}}
{{- define "hedera-exporter.fullname" -}}
{{- $name := include "hedera-exporter.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $full | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "hedera-exporter.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "hedera-exporter.selector" -}}
app.kubernetes.io/name: {{ include "hedera-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /*
The metadata of an object, with a leading space for none of its lines: root, and
perhaps name, namespace, labels and annotations of its own.
*/ -}}
{{- define "hedera-exporter.metadata" -}}
name: {{ .name | default (include "hedera-exporter.fullname" .root) }}
namespace: {{ .namespace | default (include "hedera-exporter.namespace" .root) }}
labels:
  {{- $labels := fromYaml (include "hedera-exporter.selector" .root) }}
  {{- $_ := set $labels "app.kubernetes.io/version" (.root.Values.image.tag | default .root.Chart.AppVersion) }}
  {{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service }}
  {{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version) }}
  {{- toYaml (mergeOverwrite (dict) .root.Values.commonLabels (.labels | default dict) $labels) | nindent 2 }}
{{- with .annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "hedera-exporter.image" -}}
{{- with .Values.image }}
{{- with .registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "hedera-exporter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "hedera-exporter.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- /* The Secret with web-config.yml, or nothing. */ -}}
{{- define "hedera-exporter.webSecret" -}}
{{- with .Values.web }}
{{- if and .config .existingSecret }}{{ fail "web: config and existingSecret exclude each other" }}{{ end }}
{{- if and .tls (not .existingSecret) }}{{ fail "web.tls: is for existingSecret; with web.config, a tls_server_config there turns TLS on" }}{{ end }}
{{- if .existingSecret }}{{ .existingSecret }}{{ else if .config }}{{ include "hedera-exporter.fullname" $ }}-web{{ end }}
{{- end }}
{{- end }}

{{- define "hedera-exporter.scheme" -}}
{{- ternary "https" "http" (or .Values.web.tls (hasKey .Values.web.config "tls_server_config")) }}
{{- end }}

{{- define "hedera-exporter.runbooks" -}}
{{- if .root.Values.runbookBaseURL }}
{{- regexReplaceAllLiteral `(https?://[^\s"'()]*/)?docs/runbooks/` .text (printf "%s/" (trimSuffix "/" .root.Values.runbookBaseURL)) }}
{{- else }}{{ .text }}{{ end }}
{{- end }}
