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

{{/* Dagster's instance for the migration: a run launcher would ask for a token, which the migration does not have. */}}
{{- define "credit-platform.migrateInstance" -}}
storage: {{- include "credit-platform.storage" . | nindent 2 }}
telemetry: { enabled: false }
{{- end }}

{{/* When Helm makes the migration and its ConfigMaps. */}}
{{- define "credit-platform.migrateHook" -}}
helm.sh/hook: post-install,pre-upgrade
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
