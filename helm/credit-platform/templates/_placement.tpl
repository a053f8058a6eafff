{{/* Where a pod goes: to spot nodes or away from them, ahead of runs, never beside another of its kind if there is another
node. Call with (dict "root" $ "component" "webserver" "values" .Values.dagsterWebserver). */}}
{{- define "credit-platform.placement" -}}
{{- $values := .root.Values -}}
{{- $stays := eq .component "postgresql" -}}
{{- $onSpot := and $values.spot.enabled $values.controlPlane.onSpot (not $stays) -}}
{{- if $values.priorityClasses.enabled }}
priorityClassName: {{ .root.Release.Namespace }}-{{ .root.Release.Name }}-control-plane
{{- end }}
{{- with merge dict .values.nodeSelector (ternary $values.spot.nodeSelector dict $onSpot) }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- $lost := include "credit-platform.lostNode" $values.controlPlane.lostNodeTolerationSeconds | fromYamlArray }}
{{- with concat (ternary list $lost $stays) .values.tolerations (ternary $values.spot.tolerations list $onSpot) }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and $values.spot.enabled (not $values.spot.nodeSelector) }}
{{ fail "spot.nodeSelector: name a label of spot nodes, or set spot.enabled=false; without one, nothing tells them apart" }}
{{- end }}
affinity:
  {{- if and $values.spot.enabled (not $onSpot) }}
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            {{- range $key, $value := $values.spot.nodeSelector }}
            - { key: {{ $key }}, operator: NotIn, values: [{{ $value | quote }}] }
            {{- end }}
  {{- end }}
  # Not topologySpreadConstraints: the soft ones are passed over, all of them, on nodes that lack one of the labels.
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      {{- range $values.controlPlane.spreadOver }}
      - weight: 100
        podAffinityTerm:
          topologyKey: {{ . }}
          labelSelector:
            matchLabels: {{- include "credit-platform.selector" $ | nindent 14 }}
      {{- end }}
topologySpreadConstraints:
  # One node counts as one place, so that a laptop can hold both.
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: DoNotSchedule
    # A node that is lost, or that this pod may not go to, is no place to be empty.
    nodeTaintsPolicy: Honor
    # While a new version comes, the old one's pods don't count.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "credit-platform.selector" . | nindent 8 }}
{{- end }}

{{/* How long a pod stays bound to a node that fell silent. Call with the seconds. */}}
{{- define "credit-platform.lostNode" -}}
{{- range list "not-ready" "unreachable" }}
- key: node.kubernetes.io/{{ . }}
  operator: Exists
  effect: NoExecute
  tolerationSeconds: {{ $ }}
{{- end }}
{{- end }}
