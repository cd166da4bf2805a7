{{- define "taskbroker.name" -}}
{{- $name := eq .Release.Name .Chart.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) }}
{{- $name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "taskbroker.selector" -}}
app.kubernetes.io/name: taskbroker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "taskbroker.labels" -}}
{{ include "taskbroker.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "taskbroker.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The file that the broker reads: what the chart sets wins over .Values.config. */}}
{{- define "taskbroker.config" -}}
{{- $ports := dict "grpc_addr" "0.0.0.0" "grpc_port" 50051 "metrics_addr" "0.0.0.0:9464" -}}
{{- $store := dict "adapter" .Values.store -}}
{{- if eq .Values.store "sqlite" }}
{{- $_ := set $store "sqlite" (dict "path" "/var/lib/taskbroker/taskbroker.sqlite") }}
{{- end }}
{{- mergeOverwrite (deepCopy .Values.config) $ports (dict "store" $store) | toYaml }}
{{- end }}

{{- define "taskbroker.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "taskbroker.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Pod of a broker; the caller adds the volume "state". */}}
{{- define "taskbroker.pod" -}}
metadata:
  labels:
    {{- include "taskbroker.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ include "taskbroker.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "taskbroker.name" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "taskbroker.podSecurity" . | nindent 4 }}
  containers:
    - name: taskbroker
      image: {{ include "taskbroker.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve, -c, /etc/taskbroker/taskbroker.yaml]
      securityContext:
        {{- include "taskbroker.containerSecurity" . | nindent 8 }}
      {{- with .Values.existingSecret }}
      envFrom:
        - secretRef: {name: {{ . | quote }}}
      {{- end }}
      {{- if or .Values.javaOptions .Values.env }}
      env:
        {{- with .Values.javaOptions }}
        - {name: JDK_JAVA_OPTIONS, value: {{ . | quote }}}
        {{- end }}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - {name: grpc, containerPort: 50051}
        - {name: metrics, containerPort: 9464}
      # Liveness asks only whether the process answers: a failed stage ends it by itself, and a
      # restart does not heal Kafka or the database.
      startupProbe:
        httpGet: {path: /metrics, port: metrics}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /livez, port: metrics}
        periodSeconds: 20
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        grpc: {port: 50051, service: sentry_protos.taskbroker.v1.ConsumerService}
        periodSeconds: 5
        timeoutSeconds: 3
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/taskbroker, readOnly: true}
        - {name: state, mountPath: /var/lib/taskbroker}
        # Native libraries are unpacked here.
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: config
      configMap: {name: {{ include "taskbroker.name" . }}}
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
    {{- if eq .Values.store "postgres" }}
    - name: state
      emptyDir: {sizeLimit: 1Gi}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "taskbroker.selector" . | nindent 10 }}
    {{- end }}
{{- end }}
