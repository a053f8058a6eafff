{{/* The fields that every pod of the release has; its containers and volumes follow below them. Call with a dict:
root       $
component  the part, for example "daemon"; pods of one part stay apart
values     the part's values, of which nodeSelector and tolerations are used; optional
account    the part whose service account the pod has; optional
token      true: the pod gets a token for the Kubernetes API; optional
user       the id of its user, if the image is not the platform's own */}}
{{- define "credit-platform.pod" -}}
{{- with .account }}
serviceAccountName: {{ $.root.Release.Name }}-{{ . }}
{{- end }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "credit-platform.placement" . | nindent 0 }}
securityContext: {{- include "credit-platform.podSecurity" .user | nindent 2 }}
{{- end }}

{{/* The fields that every container has. Call with (dict "image" .Values.image "resources" .Values.codeServer.resources). */}}
{{- define "credit-platform.container" -}}
image: {{ include "credit-platform.image" .image }}
imagePullPolicy: {{ .image.pullPolicy }}
resources: {{- toYaml .resources | nindent 2 }}
securityContext: {{- include "credit-platform.containerSecurity" . | nindent 2 }}
{{- end }}

{{/* What Pod Security `restricted` asks of a pod. Call with a user id, or with nothing for the platform's own. */}}
{{- define "credit-platform.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . | default 10001 }}
runAsGroup: {{ . | default 10001 }}
fsGroup: {{ . | default 10001 }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What `restricted` asks of a container, and more: nothing in the image can be changed. */}}
{{- define "credit-platform.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
