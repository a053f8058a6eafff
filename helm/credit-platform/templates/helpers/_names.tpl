{{/* Labels of every object of the release. Call with (dict "root" $ "component" "webserver"). */}}
{{- define "credit-platform.labels" -}}
{{ include "credit-platform.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* The labels by which pods of a component are selected. They never change: a Deployment's selector is immutable. */}}
{{- define "credit-platform.selector" -}}
app.kubernetes.io/name: credit-platform
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "credit-platform.metadata" -}}
name: {{ .root.Release.Name }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels: {{- include "credit-platform.labels" . | nindent 2 }}
{{- end }}

{{/* The full name of an image: by digest if the values have one, else by tag. */}}
{{- define "credit-platform.image" -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}
