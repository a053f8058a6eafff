{{/* Objects that several parts have. Call with (dict "root" $ "component" "daemon"). */}}

{{/* `annotations`, optional, may hold the cloud identity of the part. */}}
{{- define "credit-platform.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "credit-platform.metadata" . | nindent 2 }}
  {{- with .annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
# A pod that needs a token for the Kubernetes API asks for it.
automountServiceAccountToken: false
{{- end }}

{{/* Binds the service account of a part to the Role of the same name. */}}
{{- define "credit-platform.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{- include "credit-platform.metadata" . | nindent 2 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .root.Release.Name }}-{{ .component }} }
subjects:
  - { kind: ServiceAccount, name: {{ .root.Release.Name }}-{{ .component }}, namespace: {{ .root.Release.Namespace }} }
{{- end }}

{{/* Pods of a part may be evicted one after the other, so that a node can always be drained. */}}
{{- define "credit-platform.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "credit-platform.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "credit-platform.selector" . | nindent 6 }}
{{- end }}
