{{/* What the pods of backup and restore have in common. */}}

{{/* The databases of the release: Dagster's, and that of the loans if the release has it. */}}
{{- define "credit-platform.databases" -}}
{{ .Values.postgresql.postgresqlDatabase }}{{ if include "credit-platform.ownLoans" . }} lending{{ end }}
{{- end }}

{{/* The pod without its containers. */}}
{{- define "credit-platform.backupPod" -}}
{{- $pod := dict "root" . "component" "postgresql-backup" "values" .Values.postgresql "account" "postgresql-backup" -}}
# The pod of the last attempt stays, with its log.
restartPolicy: Never
{{ include "credit-platform.pod" $pod }}
volumes:
  {{- include "credit-platform.instanceVolumes" . | nindent 2 }}
  - { name: backup, emptyDir: {} }
  - { name: scripts, configMap: { name: {{ .Release.Name }}-postgresql-backup } }
{{- end }}

{{/* A container with PostgreSQL's programs. */}}
{{- define "credit-platform.postgresqlPrograms" -}}
{{ include "credit-platform.container" (dict "image" .Values.postgresql.image "resources" .Values.postgresql.backup.resources) }}
env:
  - { name: HOME, value: /tmp }
  - { name: PGCONNECT_TIMEOUT, value: "10" }
  {{- include "credit-platform.libpqEnvironment" . | nindent 2 }}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  - { name: backup, mountPath: /backup }
  - { name: scripts, mountPath: /scripts, readOnly: true }
{{- end }}

{{/* A container with the platform's own program, which reaches the store of the backups. */}}
{{- define "credit-platform.backupProgram" -}}
{{ include "credit-platform.container" (dict "image" .Values.image "resources" .Values.postgresql.backup.resources) }}
env:
  - { name: PLATFORM_STORE, value: {{ .Values.postgresql.backup.uri | default (printf "%s/backups" (trimSuffix "/" .Values.store.uri)) }} }
  {{- include "credit-platform.storeEnvironment" . | nindent 2 }}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  - { name: backup, mountPath: /backup }
  {{- with include "credit-platform.caMount" . }}{{ . | nindent 2 }}{{ end }}
{{- end }}
