{{- define "shop.name" -}}
{{ .Release.Name | trunc 38 | trimSuffix "-" }}
{{- end }}

{{/*
What tells this run's Jobs from every other one. The revision, since a Job's template cannot be changed; and letters
that were never used before, since Jobs are kept, also by `helm uninstall`, and a new release of the same name begins
at revision 1 again. They are drawn once for all templates.
*/}}
{{- define "shop.run" -}}
{{- if not (hasKey .Release "shopRun") }}
{{- $drawn := printf "%d-%s" (int .Release.Revision) (randAlphaNum 5 | lower) }}
{{- $_ := set .Release "shopRun" (default $drawn .Values.migrations.id) }}
{{- end }}
{{- get .Release "shopRun" }}
{{- end }}

{{/* As a hook it needs no name of its own: the one before is deleted first. */}}
{{- define "shop.migration" -}}
{{ include "shop.name" . }}-migrate{{ if eq .Values.migrations.mode "job" }}-{{ include "shop.run" . }}{{ end }}
{{- end }}

{{- define "shop.index" -}}
{{ include "shop.name" . }}-index-{{ include "shop.run" . }}
{{- end }}

{{/* Those that a selector may hold: they never change. Of (dict "root" $ "component" "api"). */}}
{{- define "shop.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "shop.labels" -}}
{{ include "shop.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* Limits that do not fit would only show on the day when a migration hangs. */}}
{{- define "shop.checkTimeouts" -}}
{{- $timeout := int .Values.await.timeoutSeconds }}
{{- if ge (int .Values.migrations.activeDeadlineSeconds) $timeout }}
{{- fail "migrations.activeDeadlineSeconds must be less than await.timeoutSeconds, so that a Job that hangs has failed before those who wait for it give up" }}
{{- end }}
{{- if ge $timeout (int .Values.progressDeadlineSeconds) }}
{{- fail "await.timeoutSeconds must be less than progressDeadlineSeconds, so that a pod says why it does not start before its Deployment counts as failed" }}
{{- end }}
{{- end }}
