{{- define "credit-platform.storage" -}}
postgres:
  postgres_db:
    username: {{ .Values.postgresql.postgresqlUsername }}
    password: { env: DAGSTER_PG_PASSWORD }
    hostname: {{ include "credit-platform.postgresqlHost" . }}
    db_name: {{ .Values.postgresql.postgresqlDatabase }}
    port: {{ .Values.postgresql.service.port }}
    params: {{- toYaml .Values.postgresql.postgresqlParams | nindent 6 }}
{{- end }}

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
