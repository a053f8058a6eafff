{{/* What every pod of the platform's own image has in common. */}}

{{/* Pod Security `restricted`, of a pod. */}}
{{- define "credit-platform.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .uid | default 10001 }}
runAsGroup: {{ .uid | default 10001 }}
fsGroup: {{ .uid | default 10001 }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The same, of a container, and more than the standard asks: nothing in the image can be changed. */}}
{{- define "credit-platform.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "credit-platform.volumes" -}}
- name: tmp
  emptyDir: {}
- name: dagster-home
  emptyDir: {}
{{- if .Values.settings.toml }}
- name: settings
  configMap:
    name: {{ .Release.Name }}-settings
{{- end }}
{{- end }}

{{- define "credit-platform.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: dagster-home
  mountPath: {{ .Values.global.dagsterHome }}
{{- if .Values.settings.toml }}
- name: settings
  mountPath: /etc/credit-platform
  readOnly: true
{{- end }}
{{- end }}

{{/* The instance and the workspace, which only the control plane reads: a run gets its instance in its arguments. */}}
{{- define "credit-platform.instanceVolume" -}}
- name: instance
  configMap:
    name: {{ .Release.Name }}-instance
{{- end }}

{{- define "credit-platform.instanceMounts" -}}
{{- include "credit-platform.workspaceMounts" (dict "home" .Values.global.dagsterHome "instance" "dagster.yaml") }}
{{- end }}

{{/* Which of the ConfigMap's instances is Dagster's. Call with (dict "home" "/home" "instance" "read-only.yaml"). */}}
{{- define "credit-platform.workspaceMounts" -}}
- name: instance
  mountPath: {{ .home }}/dagster.yaml
  subPath: {{ .instance }}
  readOnly: true
- name: instance
  mountPath: {{ .home }}/workspace.yaml
  subPath: workspace.yaml
  readOnly: true
{{- end }}
