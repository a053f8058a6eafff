{{/* Labels of everything in the release. Call with (dict "root" $ "component" "webserver"). */}}
{{- define "credit-platform.labels" -}}
{{ include "credit-platform.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

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

{{/* An image by digest if there is one, else by tag. */}}
{{- define "credit-platform.image" -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}

{{- define "credit-platform.postgresqlHost" -}}
{{- if .Values.postgresql.enabled -}}
{{ .Release.Name }}-postgresql
{{- else -}}
{{ required "postgresql.postgresqlHost: name the managed PostgreSQL, or set postgresql.enabled" .Values.postgresql.postgresqlHost }}
{{- end -}}
{{- end }}

{{- define "credit-platform.postgresqlSecret" -}}
{{- if .Values.global.postgresqlSecretName -}}
{{ .Values.global.postgresqlSecretName }}
{{- else if .Values.postgresql.enabled -}}
{{ .Release.Name }}-postgresql
{{- else -}}
{{ fail "global.postgresqlSecretName: a managed PostgreSQL needs a Secret with the key postgresql-password" }}
{{- end -}}
{{- end }}

{{- define "credit-platform.ownLoans" -}}
{{- if not .Values.loans.secretName }}
{{- if or (not .Values.postgresql.enabled) .Values.global.postgresqlSecretName -}}
{{ fail "loans.secretName: name a Secret with the key LOANS_DATABASE_URL; only a release with a PostgreSQL and a password of its own has loans of its own" }}
{{- end -}}
true
{{- end }}
{{- end }}

{{- define "credit-platform.loansSecret" -}}
{{- if include "credit-platform.ownLoans" . }}{{ .Release.Name }}-loans{{ else }}{{ .Values.loans.secretName }}{{ end -}}
{{- end }}

{{- define "credit-platform.logBucket" -}}
{{- with .Values.computeLogManager.config.s3ComputeLogManager -}}
{{ .bucket | default (regexReplaceAll "^s3://([^/]+).*$" $.Values.store.uri "${1}") }}
{{- end -}}
{{- end }}

{{/* The random password, made once a rendering, and once in the life of a release. */}}
{{- define "credit-platform.password" -}}
{{- $held := lookup "v1" "Secret" .Release.Namespace (printf "%s-postgresql" .Release.Name) -}}
{{- if $held -}}
{{ index $held.data "postgresql-password" | b64dec }}
{{- else -}}
{{- if not (hasKey .Values.global "generated") }}{{ $_ := set .Values.global "generated" (randAlphaNum 32) }}{{ end -}}
{{ .Values.global.generated }}
{{- end -}}
{{- end }}

{{/* All addresses of a family but those denied: an ipBlock. Call with (dict "in" ":" "deny" list), "." for IPv4. */}}
{{- define "credit-platform.allBut" -}}
{{- $except := list }}
{{- range .deny }}{{ if contains $.in . }}{{ $except = append $except . }}{{ end }}{{ end -}}
{ cidr: {{ ternary "0.0.0.0/0" "::/0" (eq .in ".") | quote }}, except: {{ $except | toJson }} }
{{- end }}
