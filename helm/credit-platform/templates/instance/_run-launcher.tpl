{{/* How a run gets its pod. Nothing here comes from the code server's values. */}}
{{- define "credit-platform.runLauncher" -}}
{{- $values := .Values.runLauncher.config.k8sRunLauncher -}}
module: resources.run_launcher
class: LeasedK8sRunLauncher
config:
  lease_seconds: {{ .Values.dagsterDaemon.runMonitoring.leaseSeconds }}
  unreachable_seconds: {{ .Values.dagsterDaemon.runMonitoring.unreachableSeconds }}
  start_timeout_seconds: {{ .Values.dagsterDaemon.runMonitoring.startTimeoutSeconds }}
  # While the daemon does not reach these, a pod of a run that it can't reach either is no sign of a loss.
  witness: {{ .Release.Name }}-code-server:{{ .Values.codeServer.port }}
  crash_retries: {{ .Values.dagsterDaemon.runRetries.crashRetries }}
  spot_attempts: {{ .Values.dagsterDaemon.runRetries.spotAttempts }}
  job_namespace: {{ .Release.Namespace }}
  job_image: {{ include "credit-platform.image" .Values.image }}
  image_pull_policy: {{ .Values.image.pullPolicy }}
  {{- with .Values.imagePullSecrets }}
  image_pull_secrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  service_account_name: {{ .Release.Name }}-run
  instance_config_map: {{ .Release.Name }}-instance
  dagster_home: {{ .Values.global.dagsterHome }}
  postgres_password_secret: {{ include "credit-platform.postgresqlSecret" . }}
  labels: {{- include "credit-platform.runLabels" . | nindent 4 }}
  resources: {{- toYaml $values.resources | nindent 4 }}
  security_context: {{- include "credit-platform.containerSecurity" . | nindent 4 }}
  volumes: {{- concat (include "credit-platform.volumes" . | fromYamlArray) $values.volumes | toYaml | nindent 4 }}
  volume_mounts: {{- concat (include "credit-platform.mounts" . | fromYamlArray) $values.volumeMounts | toYaml | nindent 4 }}
  env_vars: {{- toYaml $values.envVars | nindent 4 }}
  env_secrets: [{{ range $values.envSecrets }}{{ .name }}, {{ end }}]
  # Whoever starts a run in the UI may choose its resources and nothing else of its pod: not the image, not the service
  # account, not the host.
  only_allow_user_defined_k8s_config_fields:
    container_config: { resources: true }
  only_allow_user_defined_env_vars: []
  run_k8s_config:
    container_config:
      # resources.worker renews the lease whose end shows that the run is lost; below it runs what Dagster asks for.
      command: [python, -m, resources.worker, python, -m, resources.console_script]
      env:
        {{- include "credit-platform.underBothNames" (include "credit-platform.runEnvironment" .) | nindent 8 }}
    pod_template_spec_metadata:
      annotations:
        # An autoscaler that moves a healthy run, to save a node, wastes its work.
        cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
        karpenter.sh/do-not-disrupt: "true"
        {{- with $values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    pod_spec_config:
      automount_service_account_token: {{ eq .Values.executor "k8s_job" }}
      enable_service_links: false
      restart_policy: Never
      termination_grace_period_seconds: {{ $values.terminationGracePeriodSeconds }}
      {{- if .Values.priorityClasses.enabled }}
      priority_class_name: {{ .Release.Namespace }}-{{ .Release.Name }}-runs
      {{- end }}
      security_context: {{- include "credit-platform.podSecurity" nil | nindent 8 }}
      {{- if .Values.spot.enabled }}
      node_selector: {{- toYaml .Values.spot.nodeSelector | nindent 8 }}
      {{- end }}
      tolerations:
        {{- include "credit-platform.lostNode" $values.lostNodeTolerationSeconds | nindent 8 }}
        {{- if .Values.spot.enabled }}{{ toYaml .Values.spot.tolerations | nindent 8 }}{{ end }}
    job_spec_config:
      # The run is retried, not the pod: a second pod of one run finds the run started, and ends without an event.
      backoff_limit: 0
      ttl_seconds_after_finished: {{ $values.ttlSecondsAfterFinished }}
{{- end }}
