{{/* The control plane: ahead of runs, away from spot nodes, its replicas on different nodes and in different zones. */}}
{{- define "credit-platform.placement" -}}
{{- if .root.Values.priorityClasses.enabled }}
priorityClassName: {{ .root.Release.Namespace }}-{{ .root.Release.Name }}-control-plane
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .root.Values.spot.enabled }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            {{- range $key, $value := .root.Values.spot.nodeSelector }}
            - { key: {{ $key }}, operator: NotIn, values: [{{ $value | quote }}] }
            {{- end }}
{{- end }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "credit-platform.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
