{{/* Environment variables of the pods. A password is always a reference to a Secret. */}}

{{/* How to reach the object store. */}}
{{- define "credit-platform.storeEnvironment" -}}
- name: AWS_REGION
  value: {{ .Values.store.region }}
- name: AWS_DEFAULT_REGION
  value: {{ .Values.store.region }}
{{- with .Values.store.endpointUrl }}
- name: AWS_ENDPOINT_URL
  value: {{ . }}
{{- end }}
{{- if .Values.store.caConfigMap }}
- name: AWS_CA_BUNDLE
  value: /etc/store-ca/ca.crt
{{- end }}
{{- range $name, $value := .Values.store.variables }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- if .Values.store.secretName }}
{{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.store.secretName }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* What credit_assets.definitions reads. */}}
{{- define "credit-platform.definitionsEnvironment" -}}
- name: PLATFORM_SETTINGS
  value: {{ if .Values.settings.toml }}/etc/credit-platform/settings.toml{{ else }}/opt/platform/settings/{{ .Values.settings.file }}{{ end }}
- name: PLATFORM_STORE
  value: {{ .Values.store.uri }}
- name: PLATFORM_EXECUTOR
  value: {{ .Values.executor }}
# Dagster's own: seconds between two checks of a run on the pods of its steps. Its default, 1, is waited for before and
# after every step.
- name: DAGSTER_STEP_DELEGATING_EXECUTOR_SLEEP_SECONDS
  value: "0.2"
- name: PLATFORM_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-platform.loansSecret" . }}
      key: LOANS_DATABASE_URL
- name: PLATFORM_SCORES_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-platform.loansSecret" . }}
      key: SCORES_DATABASE_URL
      optional: true
{{- end }}

{{/* The password of Dagster's database, for Dagster. */}}
{{- define "credit-platform.storageEnvironment" -}}
- name: DAGSTER_PG_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-platform.postgresqlSecret" . }}
      key: postgresql-password
{{- end }}

{{/* The same database under the names of libpq, for programs that use it without Dagster. */}}
{{- define "credit-platform.libpqEnvironment" -}}
- { name: PGHOST, value: {{ include "credit-platform.postgresqlHost" . }} }
- { name: PGPORT, value: {{ .Values.postgresql.service.port | quote }} }
- { name: PGUSER, value: {{ .Values.postgresql.postgresqlUsername }} }
- { name: PGDATABASE, value: {{ .Values.postgresql.postgresqlDatabase }} }
- name: PGPASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-platform.postgresqlSecret" . }}
      key: postgresql-password
{{- end }}
