{{/* Binds a component's service account to the Role of the same name. Call with (dict "root" $ "component" "daemon"). */}}
{{- define "credit-platform.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{- include "credit-platform.metadata" . | nindent 2 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .root.Release.Name }}-{{ .component }} }
subjects:
  - { kind: ServiceAccount, name: {{ .root.Release.Name }}-{{ .component }}, namespace: {{ .root.Release.Namespace }} }
{{- end }}
