{{/* Dagster's own database: runs, events, ticks, and the lease of the daemon. */}}

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

{{- define "credit-platform.storageEnvironment" -}}
- name: DAGSTER_PG_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-platform.postgresqlSecret" . }}
      key: postgresql-password
{{- end }}

{{/* The same database as libpq reads it, for what uses it without Dagster. */}}
{{- define "credit-platform.libpqEnvironment" -}}
- { name: PGHOST, value: {{ include "credit-platform.postgresqlHost" . }} }
- { name: PGPORT, value: {{ .Values.postgresql.service.port | quote }} }
- { name: PGUSER, value: {{ .Values.postgresql.postgresqlUsername }} }
- { name: PGDATABASE, value: {{ .Values.postgresql.postgresqlDatabase }} }
- name: PGPASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-platform.postgresqlSecret" . }}
      key: postgresql-password
{{- end }}
