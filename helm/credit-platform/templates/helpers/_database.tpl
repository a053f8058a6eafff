{{/* Where PostgreSQL is, and which Secrets hold its passwords. templates/validation.yaml refuses values that name none. */}}

{{- define "credit-platform.postgresqlHost" -}}
{{ if .Values.postgresql.enabled }}{{ .Release.Name }}-postgresql{{ else }}{{ .Values.postgresql.postgresqlHost }}{{ end }}
{{- end }}

{{/* The Secret with the key postgresql-password. */}}
{{- define "credit-platform.postgresqlSecret" -}}
{{ .Values.global.postgresqlSecretName | default (printf "%s-postgresql" .Release.Name) }}
{{- end }}

{{/* "true" if the loans are in a database of the release's own PostgreSQL, else empty. */}}
{{- define "credit-platform.ownLoans" -}}
{{ if not .Values.loans.secretName }}true{{ end }}
{{- end }}

{{/* The Secret with the key LOANS_DATABASE_URL, and SCORES_DATABASE_URL if scores are written. */}}
{{- define "credit-platform.loansSecret" -}}
{{ .Values.loans.secretName | default (printf "%s-loans" .Release.Name) }}
{{- end }}

{{/* The URL of the database `lending` of the release's own PostgreSQL. */}}
{{- define "credit-platform.ownLendingUrl" -}}
postgresql://{{ .Values.postgresql.postgresqlUsername }}:{{ include "credit-platform.password" . }}@{{ include "credit-platform.postgresqlHost" . }}:{{ .Values.postgresql.service.port }}/lending
{{- end }}

{{/* "true" if backups of PostgreSQL are made, else empty. */}}
{{- define "credit-platform.backsUp" -}}
{{ if and .Values.postgresql.enabled .Values.postgresql.backup.enabled }}true{{ end }}
{{- end }}

{{/* The random password of the release's own PostgreSQL. An upgrade finds it in the cluster; the first rendering makes it,
once, because two Secrets hold it. */}}
{{- define "credit-platform.password" -}}
{{- $secret := lookup "v1" "Secret" .Release.Namespace (printf "%s-postgresql" .Release.Name) -}}
{{- if $secret -}}
{{ index $secret.data "postgresql-password" | b64dec }}
{{- else -}}
{{- if not (hasKey .Values.global "generated") }}{{ $_ := set .Values.global "generated" (randAlphaNum 32) }}{{ end -}}
{{ .Values.global.generated }}
{{- end -}}
{{- end }}
