{{/* Environment and labels of the pods of runs. */}}

{{- define "credit-platform.runEnvironment" -}}
{{ include "credit-platform.definitionsEnvironment" . }}
{{ include "credit-platform.storeEnvironment" . }}
{{ include "credit-platform.libpqEnvironment" . }}
- { name: PLATFORM_RUN_LEASE_SECONDS, value: {{ .Values.dagsterDaemon.runMonitoring.leaseSeconds | quote }} }
- { name: PLATFORM_IMAGE, value: {{ include "credit-platform.image" .Values.image | quote }} }
- { name: PLATFORM_NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
- { name: PLATFORM_RUN_ID, valueFrom: { fieldRef: { fieldPath: "metadata.labels['dagster/run-id']" } } }
# Empty, except in the pod of a step.
- { name: PLATFORM_STEP, valueFrom: { fieldRef: { fieldPath: "metadata.labels['dagster/op']" } } }
{{- end }}

{{- define "credit-platform.runLabels" -}}
app.kubernetes.io/name: credit-platform
app.kubernetes.io/instance: {{ .Release.Name }}
{{- with .Values.runLauncher.config.k8sRunLauncher.labels }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end }}

{{/* Variables under their names, and also under the names that the release before (0.1.0) reads: a run that was queued
before an upgrade starts after it, with the image of the release before. Remove this in the next release: then every image
that a queued run can have reads the new names. Call with a list of variables as YAML. */}}
{{- define "credit-platform.underBothNames" -}}
{{- $before := dict
  "PLATFORM_DATABASE_URL" "LOANS_DATABASE_URL"
  "PLATFORM_EXECUTOR" "CREDIT_EXECUTOR"
  "PLATFORM_NODE" "NODE_NAME"
  "PLATFORM_RUN_ID" "DAGSTER_RUN_ID"
  "PLATFORM_RUN_LEASE_SECONDS" "DAGSTER_RUN_LEASE_SECONDS"
  "PLATFORM_SETTINGS" "CREDIT_SETTINGS"
  "PLATFORM_STEP" "DAGSTER_STEP_KEY"
  "PLATFORM_STORE" "CREDIT_STORE"
-}}
{{- $variables := list -}}
{{- range $variable := fromYamlArray . -}}
{{- $variables = append $variables $variable -}}
{{- with get $before $variable.name -}}
{{- $variables = append $variables (set (deepCopy $variable) "name" .) -}}
{{- end -}}
{{- end -}}
{{ toYaml $variables }}
{{- end }}
