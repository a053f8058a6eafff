{{/* A container that migrates Dagster's tables, or prepares the store and the loans. */}}
{{- define "credit-platform.migrateContainer" -}}
{{- $resources := dict "requests" (dict "cpu" "100m" "memory" "256Mi") "limits" (dict "memory" "1Gi") -}}
{{ include "credit-platform.container" (dict "image" .Values.image "resources" $resources) }}
env:
  {{- include "credit-platform.storageEnvironment" . | nindent 2 }}
  {{- include "credit-platform.definitionsEnvironment" . | nindent 2 }}
  {{- include "credit-platform.storeEnvironment" . | nindent 2 }}
volumeMounts:
  {{- include "credit-platform.mounts" . | nindent 2 }}
  - { name: instance, mountPath: {{ .Values.global.dagsterHome }}/dagster.yaml, subPath: migrate.yaml, readOnly: true }
{{- end }}
