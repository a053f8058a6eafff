{{/* A webserver's Deployment. Call with (dict "root" $ "component" "webserver" "readOnly" false). */}}
{{- define "credit-platform.webserver" -}}
{{- $root := .root -}}
{{- $values := $root.Values.dagsterWebserver -}}
apiVersion: apps/v1
kind: Deployment
metadata: {{- include "credit-platform.metadata" . | nindent 2 }}
spec:
  replicas: {{ ternary $values.readOnlyReplicaCount $values.replicaCount .readOnly }}
  strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }
  selector:
    matchLabels: {{- include "credit-platform.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "credit-platform.labels" . | nindent 8 }}
      annotations:
        checksum/instance: {{ include (print $root.Template.BasePath "/instance-configmap.yaml") $root | sha256sum }}
        {{- with $values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ $root.Release.Name }}-webserver
      # The one to expose has no rights that could be stolen.
      automountServiceAccountToken: {{ not .readOnly }}
      enableServiceLinks: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "credit-platform.placement" (dict "root" $root "component" .component "values" $values) | nindent 6 }}
      securityContext: {{- include "credit-platform.podSecurity" dict | nindent 8 }}
      containers:
        - name: webserver
          image: {{ include "credit-platform.image" $root.Values.image }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args:
            - dagster-webserver
            - --host=0.0.0.0
            - --port=3000
            - --workspace={{ $root.Values.global.dagsterHome }}/workspace.yaml
            {{- if .readOnly }}
            - --read-only
            {{- end }}
          env:
            {{- include "credit-platform.storageEnvironment" $root | nindent 12 }}
            {{- include "credit-platform.storeEnvironment" $root | nindent 12 }}
          ports: [{ name: http, containerPort: 3000 }]
          # 2 minutes to import and to find the code server.
          startupProbe: { httpGet: { path: /server_info, port: http }, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 60 }
          readinessProbe: { httpGet: { path: /server_info, port: http }, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 }
          # A minute and a half without an answer is a hang; a heavy query is not.
          livenessProbe: { httpGet: { path: /server_info, port: http }, periodSeconds: 15, timeoutSeconds: 15, failureThreshold: 6 }
          resources: {{- toYaml $values.resources | nindent 12 }}
          securityContext: {{- include "credit-platform.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            {{- include "credit-platform.mounts" $root | nindent 12 }}
            {{- include "credit-platform.workspaceMounts" (dict "home" $root.Values.global.dagsterHome "instance" (ternary "read-only.yaml" "dagster.yaml" .readOnly)) | nindent 12 }}
      volumes:
        {{- include "credit-platform.volumes" $root | nindent 8 }}
        {{- include "credit-platform.instanceVolume" $root | nindent 8 }}
{{- end }}
