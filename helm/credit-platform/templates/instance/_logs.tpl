{{/* Where the output of steps goes, while they run. */}}
{{- define "credit-platform.computeLogs" -}}
module: dagster_aws.s3.compute_log_manager
class: S3ComputeLogManager
config:
  bucket: {{ include "credit-platform.logBucket" . }}
  {{- with .Values.computeLogManager.config.s3ComputeLogManager }}
  prefix: {{ .prefix }}
  upload_interval: {{ .uploadInterval }}
  {{- end }}
  local_dir: /tmp/compute_logs
  skip_empty_files: true
{{- end }}

{{/* The bucket of the logs: by default that of the store. */}}
{{- define "credit-platform.logBucket" -}}
{{- with .Values.computeLogManager.config.s3ComputeLogManager -}}
{{ .bucket | default (regexReplaceAll "^s3://([^/]+).*$" $.Values.store.uri "${1}") }}
{{- end -}}
{{- end }}
