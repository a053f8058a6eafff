{{/* Backup and restore: what the pods of both have in common. */}}

{{- define "credit-platform.databases" -}}
{{ .Values.postgresql.postgresqlDatabase }}{{ if include "credit-platform.ownLoans" . }} lending{{ end }}
{{- end }}

{{/* A pod's spec but for its containers. */}}
{{- define "credit-platform.backupPod" -}}
{{- $this := dict "root" . "component" "postgresql-backup" "values" .Values.postgresql -}}
# The pod of the last try is kept, with its log.
restartPolicy: Never
serviceAccountName: {{ .Release.Name }}-postgresql-backup
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "credit-platform.placement" $this | nindent 0 }}
securityContext: {{- include "credit-platform.podSecurity" dict | nindent 2 }}
volumes:
  {{- include "credit-platform.volumes" . | nindent 2 }}
  {{- include "credit-platform.instanceVolume" . | nindent 2 }}
  - { name: backup, emptyDir: {} }
  - { name: scripts, configMap: { name: {{ .Release.Name }}-postgresql-backup } }
{{- end }}

{{/* PostgreSQL's programs. */}}
{{- define "credit-platform.postgresqlPrograms" -}}
image: {{ include "credit-platform.image" .Values.postgresql.image }}
imagePullPolicy: {{ .Values.postgresql.image.pullPolicy }}
env:
  - { name: HOME, value: /tmp }
  - { name: PGCONNECT_TIMEOUT, value: "10" }
  {{- include "credit-platform.libpqEnvironment" . | nindent 2 }}
resources: {{- toYaml .Values.postgresql.backup.resources | nindent 2 }}
securityContext: {{- include "credit-platform.containerSecurity" . | nindent 2 }}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  - { name: backup, mountPath: /backup }
  - { name: scripts, mountPath: /scripts, readOnly: true }
{{- end }}

{{/* Our own program, which knows the store. */}}
{{- define "credit-platform.backupProgram" -}}
image: {{ include "credit-platform.image" .Values.image }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - { name: CREDIT_STORE, value: {{ .Values.postgresql.backup.uri | default (printf "%s/backups" (trimSuffix "/" .Values.store.uri)) }} }
  {{- include "credit-platform.storeEnvironment" . | nindent 2 }}
resources: {{- toYaml .Values.postgresql.backup.resources | nindent 2 }}
securityContext: {{- include "credit-platform.containerSecurity" . | nindent 2 }}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  - { name: backup, mountPath: /backup }
{{- end }}
