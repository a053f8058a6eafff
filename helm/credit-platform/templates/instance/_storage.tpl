{{/* Where Dagster keeps runs, events and ticks; the leases are in the same database. */}}
{{- define "credit-platform.storage" -}}
custom:
  module: resources.instance_storage
  class: PooledPostgresStorage
  config:
    postgres_db:
      username: {{ .Values.postgresql.postgresqlUsername }}
      password: { env: DAGSTER_PG_PASSWORD }
      hostname: {{ include "credit-platform.postgresqlHost" . }}
      db_name: {{ .Values.postgresql.postgresqlDatabase }}
      port: {{ .Values.postgresql.service.port }}
      params: {{- toYaml .Values.postgresql.postgresqlParams | nindent 8 }}
    pool_size: {{ .Values.postgresql.poolSize }}
    patience_seconds: {{ .Values.postgresql.patienceSeconds }}
{{- end }}

{{/* An annotation that changes with the instance or the workspace, so that the pods that have read them restart. */}}
{{- define "credit-platform.instanceChecksum" -}}
checksum/instance: {{ include (print .Template.BasePath "/instance/configmap.yaml") . | sha256sum }}
{{- end }}
