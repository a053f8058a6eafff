{{/* Where the pods of the platform's image get what they need; every secret by reference. */}}

{{- define "credit-platform.storeEnvironment" -}}
- name: AWS_REGION
  value: {{ .Values.store.region }}
- name: AWS_DEFAULT_REGION
  value: {{ .Values.store.region }}
{{- with .Values.store.endpointUrl }}
- name: AWS_ENDPOINT_URL
  value: {{ . }}
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
- name: CREDIT_SETTINGS
  value: {{ if .Values.settings.toml }}/etc/credit-platform/settings.toml{{ else }}/opt/platform/settings/{{ .Values.settings.file }}{{ end }}
- name: CREDIT_STORE
  value: {{ .Values.store.uri }}
- name: CREDIT_EXECUTOR
  value: {{ .Values.executor }}
# Seconds between two looks of a run at the pods of its steps. Stock: 1, waited for before and after every step.
- name: DAGSTER_STEP_DELEGATING_EXECUTOR_SLEEP_SECONDS
  value: "0.2"
- name: LOANS_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-platform.loansSecret" . }}
      key: LOANS_DATABASE_URL
{{- end }}
