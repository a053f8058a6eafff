{{/* Which nodes a pod may go to: spot nodes or others, before runs, and not beside a pod of the same part if another node is
there. Call with (dict "root" $ "component" "webserver" "values" .Values.dagsterWebserver). */}}
{{- define "credit-platform.placement" -}}
{{- $values := .root.Values -}}
{{- $isDatabase := eq .component "postgresql" -}}
{{- $onSpot := and $values.spot.enabled $values.controlPlane.onSpot (not $isDatabase) -}}
{{- $own := .values | default (dict "nodeSelector" dict "tolerations" list) -}}
{{- if $values.priorityClasses.enabled }}
priorityClassName: {{ .root.Release.Namespace }}-{{ .root.Release.Name }}-control-plane
{{- end }}
{{- with merge dict $own.nodeSelector (ternary $values.spot.nodeSelector dict $onSpot) }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- $lostNode := include "credit-platform.lostNode" $values.controlPlane.lostNodeTolerationSeconds | fromYamlArray }}
{{- with concat (ternary list $lostNode $isDatabase) $own.tolerations (ternary $values.spot.tolerations list $onSpot) }}
tolerations: {{- toYaml . | nindent 2 }}
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
  # Not topologySpreadConstraints: where a node lacks one of the labels, the scheduler ignores all soft constraints.
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
  # One node counts as one place, so that a cluster of one node can hold both.
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: DoNotSchedule
    # A lost node, and a node that this pod may not go to, do not count as empty places.
    nodeTaintsPolicy: Honor
    # During an upgrade the pods of the old version do not count.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "credit-platform.selector" . | nindent 8 }}
{{- end }}

{{/* How long a pod stays bound to a node that has stopped to answer. Call with the seconds. */}}
{{- define "credit-platform.lostNode" -}}
{{- range list "not-ready" "unreachable" }}
- key: node.kubernetes.io/{{ . }}
  operator: Exists
  effect: NoExecute
  tolerationSeconds: {{ $ }}
{{- end }}
{{- end }}

{{/* An annotation for pods of a part with two replicas. The descheduler, where a cluster has one, does not move pods with
emptyDir volumes unless they have it: it parts replicas that are together on one node (decision 0016). */}}
{{- define "credit-platform.mayBeMoved" -}}
descheduler.alpha.kubernetes.io/evict: "true"
{{- end }}
