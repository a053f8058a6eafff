{{/* Volumes of pods of the platform's image. Their root file system is read-only: these are the places to write to.
The migration sets `configPrefix`, because it has ConfigMaps of its own. */}}

{{- define "credit-platform.volumes" -}}
- name: tmp
  emptyDir: {}
- name: dagster-home
  emptyDir: {}
{{- if .Values.settings.toml }}
- name: settings
  configMap:
    name: {{ .configPrefix | default .Release.Name }}-settings
{{- end }}
{{- with .Values.store.caConfigMap }}
- name: store-ca
  configMap:
    name: {{ . }}
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
{{- with include "credit-platform.caMount" . }}{{ . | nindent 0 }}{{ end }}
{{- end }}

{{/* The CA of the store, where storeEnvironment says that it is. */}}
{{- define "credit-platform.caMount" -}}
{{- if .Values.store.caConfigMap -}}
- name: store-ca
  mountPath: /etc/store-ca
  readOnly: true
{{- end }}
{{- end }}

{{/* The same, and the ConfigMap with Dagster's instance and workspace. Only the release's own pods need it: a run gets its
instance in its arguments. */}}
{{- define "credit-platform.instanceVolumes" -}}
{{ include "credit-platform.volumes" . }}
- name: instance
  configMap:
    name: {{ .configPrefix | default .Release.Name }}-instance
{{- end }}

{{/* Mounts one file of that ConfigMap as dagster.yaml, and the workspace. Call with (dict "root" $ "instance" "read-only.yaml"). */}}
{{- define "credit-platform.instanceMounts" -}}
{{ include "credit-platform.mounts" .root }}
- name: instance
  mountPath: {{ .root.Values.global.dagsterHome }}/dagster.yaml
  subPath: {{ .instance }}
  readOnly: true
- name: instance
  mountPath: {{ .root.Values.global.dagsterHome }}/workspace.yaml
  subPath: workspace.yaml
  readOnly: true
{{- end }}
