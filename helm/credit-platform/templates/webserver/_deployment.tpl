{{/* The Deployment of a webserver. Call with (dict "root" $ "component" "webserver" "readOnly" false). */}}
{{- define "credit-platform.webserver" -}}
{{- $root := .root -}}
{{- $values := $root.Values.dagsterWebserver -}}
{{- /* The read-only one is to be exposed: it has no token that could be stolen. */ -}}
{{- $pod := dict "root" $root "component" .component "values" $values "account" "webserver" "token" (not .readOnly) -}}
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
        {{- include "credit-platform.instanceChecksum" $root | nindent 8 }}
        {{- include "credit-platform.mayBeMoved" . | nindent 8 }}
        {{- with $values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      {{- include "credit-platform.pod" $pod | nindent 6 }}
      containers:
        - name: webserver
          {{- include "credit-platform.container" (dict "image" $root.Values.image "resources" $values.resources) | nindent 10 }}
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
          # It has two minutes to import its libraries and to find the code server.
          startupProbe: { httpGet: { path: /server_info, port: http }, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 60 }
          readinessProbe: { httpGet: { path: /server_info, port: http }, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 }
          # Without an answer for a minute and a half it hangs; a heavy query takes less.
          livenessProbe: { httpGet: { path: /server_info, port: http }, periodSeconds: 15, timeoutSeconds: 15, failureThreshold: 6 }
          volumeMounts:
            {{- include "credit-platform.instanceMounts" (dict "root" $root "instance" (ternary "read-only.yaml" "dagster.yaml" .readOnly)) | nindent 12 }}
      volumes:
        {{- include "credit-platform.instanceVolumes" $root | nindent 8 }}
{{- end }}
