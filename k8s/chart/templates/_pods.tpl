{{/* What every pod here has in its spec: nothing that the `restricted` Pod Security Standard forbids, and no token. */}}
{{- define "shop.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What every container of the application has. */}}
{{- define "shop.container" -}}
resources:
  requests: {cpu: 10m, memory: 16Mi}
  limits: {memory: 64Mi}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/*
A container that waits. Of (dict "root" $ "name" "await-job" "args" (list ...)), and "env" where it needs any.
Its pod needs the ServiceAccount and shop.token among its volumes.
*/}}
{{- define "shop.await" -}}
name: {{ .name }}
image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag }}"
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ .args | toRawJson }}
{{- with .env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
# What a usage error says shows in `kubectl describe pod` too; every other end writes its own message.
terminationMessagePolicy: FallbackToLogsOnError
resources:
  requests: {cpu: 10m, memory: 32Mi}
  limits: {memory: 64Mi}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: kube-api-access, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{/* The token as a volume of its own, for the container that waits: the application gets none. */}}
{{- define "shop.token" -}}
name: kube-api-access
projected:
  sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3607}
    - configMap:
        name: kube-root-ca.crt
        items: [{key: ca.crt, path: ca.crt}]
    - downwardAPI:
        items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]
{{- end }}

{{/* job/NAME for each Job that the migration comes after. */}}
{{- define "shop.after" -}}
{{- $targets := list }}
{{- range .Values.migrations.after }}{{ $targets = append $targets (printf "job/%s" .) }}{{ end }}
{{- $targets | toRawJson }}
{{- end }}

{{/* Of (dict "root" $ "jobs" (list NAME...)): what it takes to wait for them. */}}
{{- define "shop.jobRules" -}}
- apiGroups: [batch]
  resources: [jobs]
  resourceNames: {{ .jobs | toRawJson }}
  verbs: [list, watch]
{{- if .root.Values.await.explainFailures }}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
{{- end }}
{{- end }}
