{{- define "credit-platform.migrateContainer" -}}
image: {{ include "credit-platform.image" .Values.image }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "credit-platform.storageEnvironment" . | nindent 2 }}
  {{- include "credit-platform.definitionsEnvironment" . | nindent 2 }}
  {{- include "credit-platform.storeEnvironment" . | nindent 2 }}
resources: { requests: { cpu: 100m, memory: 256Mi }, limits: { memory: 1Gi } }
securityContext: {{- include "credit-platform.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- include "credit-platform.mounts" . | nindent 2 }}
  - { name: instance, mountPath: {{ .Values.global.dagsterHome }}/dagster.yaml, subPath: migrate.yaml, readOnly: true }
{{- end }}
