// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

const (
	chartDir      = "../../deploy/helm/hedera-exporter"
	dashboardsDir = "../../dashboards"
	rulesDir      = "../../alerts"
)

type values = map[string]any

// valueSets are what the chart is rendered with.
var valueSets = map[string]values{
	"default": {},
	"everything": {
		"shards":         3,
		"image":          values{"repository": "registry.example.com/hedera_exporter", "tag": "v1.2.3"},
		"config":         values{"networks": values{"testnet": values{"accounts": []any{values{"id": "0.0.98", "name": "fees: and \"more\""}}}}},
		"secrets":        []any{values{"name": "hedera-mirror"}},
		"extraArgs":      []any{"--no-collector.node_probe", "--log.format=json"},
		"podLabels":      values{"team": "platform"},
		"podAnnotations": values{"example.com/a": "true"},
		"nodeSelector":   values{"kubernetes.io/arch": "amd64"},
		"tolerations":    []any{values{"key": "dedicated", "operator": "Exists"}},
		"service":        values{"port": 8080, "annotations": values{"a": "b"}},
		"serviceMonitor": values{"enabled": true, "labels": values{"release": "prometheus"}},
		"prometheusRule": values{"enabled": true, "labels": values{"release": "prometheus"}},
		"dashboards":     values{"enabled": true},
		"networkPolicy":  values{"from": []any{values{"namespaceSelector": values{"matchLabels": values{"kubernetes.io/metadata.name": "monitoring"}}}}},
	},
	"least": {
		"networkPolicy":       values{"enabled": false},
		"podDisruptionBudget": values{"enabled": false},
		"image":               values{"digest": "sha256:" + strings.Repeat("0", 64)},
	},
}

// TestMain drops what Helm's loader logs of each symbolic link.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	m.Run()
}

func render(t *testing.T, v values) (string, error) {
	t.Helper()
	chart, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(&action.Configuration{})
	install.ClientOnly, install.DryRun = true, true
	install.ReleaseName, install.Namespace = "release", "monitoring"
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.30.0", Major: "1", Minor: "30"}
	release, err := install.RunWithContext(t.Context(), chart, v)
	if err != nil {
		return "", err
	}
	return release.Manifest, nil
}

// objects are what a chart renders to, by kind.
type objects struct {
	Deployments  []appsv1.Deployment
	StatefulSets []appsv1.StatefulSet
	ConfigMaps   []corev1.ConfigMap
	Services     []corev1.Service
	Policies     []networkingv1.NetworkPolicy
	Budgets      []policyv1.PodDisruptionBudget
	Monitors     []monitoringv1.ServiceMonitor
	Rules        []monitoringv1.PrometheusRule
}

// decode refuses fields that the API types do not have.
func decode(t *testing.T, manifest string) objects {
	t.Helper()
	var all objects
	for _, document := range regexp.MustCompile(`(?m)^---$`).Split(manifest, -1) {
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		var err error
		switch kind.APIVersion + "/" + kind.Kind {
		case "/":
		case "apps/v1/Deployment":
			all.Deployments, err = appendStrict(all.Deployments, document)
		case "apps/v1/StatefulSet":
			all.StatefulSets, err = appendStrict(all.StatefulSets, document)
		case "v1/ConfigMap":
			all.ConfigMaps, err = appendStrict(all.ConfigMaps, document)
		case "v1/Service":
			all.Services, err = appendStrict(all.Services, document)
		case "networking.k8s.io/v1/NetworkPolicy":
			all.Policies, err = appendStrict(all.Policies, document)
		case "policy/v1/PodDisruptionBudget":
			all.Budgets, err = appendStrict(all.Budgets, document)
		case "monitoring.coreos.com/v1/ServiceMonitor":
			all.Monitors, err = appendStrict(all.Monitors, document)
		case "monitoring.coreos.com/v1/PrometheusRule":
			all.Rules, err = appendStrict(all.Rules, document)
		default:
			err = fmt.Errorf("unexpected %s %s", kind.APIVersion, kind.Kind)
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
	}
	return all
}

func appendStrict[T any](list []T, document string) ([]T, error) {
	var object T
	err := yaml.UnmarshalStrict([]byte(document), &object)
	return append(list, object), err
}

func rendered(t *testing.T, name string) objects {
	t.Helper()
	manifest, err := render(t, valueSets[name])
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, manifest)
}

func (o objects) podTemplate(t *testing.T) corev1.PodTemplateSpec {
	t.Helper()
	switch {
	case len(o.Deployments) == 1 && len(o.StatefulSets) == 0:
		return o.Deployments[0].Spec.Template
	case len(o.Deployments) == 0 && len(o.StatefulSets) == 1:
		return o.StatefulSets[0].Spec.Template
	}
	t.Fatalf("%d Deployments and %d StatefulSets", len(o.Deployments), len(o.StatefulSets))
	return corev1.PodTemplateSpec{}
}

func TestLint(t *testing.T) {
	for name, v := range valueSets {
		lint := action.NewLint()
		lint.Strict = true
		result := lint.Run([]string{chartDir}, v)
		for _, message := range result.Messages {
			if message.Severity > support.InfoSev {
				t.Errorf("%s: %s", name, message)
			}
		}
		if len(result.Errors) > 0 || result.TotalChartsLinted != 1 {
			t.Errorf("%s: %d charts linted, %v", name, result.TotalChartsLinted, result.Errors)
		}
	}
}

func TestRenderedObjects(t *testing.T) {
	for name, want := range map[string]string{
		"default":    "deployments 1 statefulsets 0 services 1 policies 1 budgets 1 monitors 0 rules 0",
		"everything": "deployments 0 statefulsets 1 services 1 policies 1 budgets 1 monitors 1 rules 1",
		"least":      "deployments 1 statefulsets 0 services 1 policies 0 budgets 0 monitors 0 rules 0",
	} {
		o := rendered(t, name)
		got := fmt.Sprintf("deployments %d statefulsets %d services %d policies %d budgets %d monitors %d rules %d",
			len(o.Deployments), len(o.StatefulSets), len(o.Services), len(o.Policies), len(o.Budgets), len(o.Monitors), len(o.Rules))
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestDecodingIsStrict has a misspelt field fail.
func TestDecodingIsStrict(t *testing.T) {
	if _, err := appendStrict([]corev1.Service(nil), "apiVersion: v1\nkind: Service\nspec: {selectr: {a: b}}"); err == nil {
		t.Error("a misspelt field is accepted")
	}
}

func TestSchemaRefuses(t *testing.T) {
	for name, v := range map[string]values{
		"unknown key":   {"replicas": 2},
		"no shard":      {"shards": 0},
		"text for port": {"service": values{"port": "http"}},
		"no duration":   {"serviceMonitor": values{"interval": "often"}},
		"bad digest":    {"image": values{"digest": "latest"}},
		"no config":     {"config": nil},
	} {
		if _, err := render(t, v); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("%s: %v, want an error of the schema", name, err)
		}
	}
}

// TestPodsAreRestricted uses the admission controller's own checks.
func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for name := range valueSets {
		pod := rendered(t, name).podTemplate(t)
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		container := pod.Spec.Containers[0]
		if !*container.SecurityContext.ReadOnlyRootFilesystem || *pod.Spec.AutomountServiceAccountToken {
			t.Errorf("%s: the root file system can be written, or there is a token", name)
		}
	}
}

// TestEverythingSelectsThePods finds ports by name and pods by their labels.
func TestEverythingSelectsThePods(t *testing.T) {
	o := rendered(t, "everything")
	pod := o.podTemplate(t)
	selectors := map[string]map[string]string{
		"StatefulSet":         o.StatefulSets[0].Spec.Selector.MatchLabels,
		"Service":             o.Services[0].Spec.Selector,
		"NetworkPolicy":       o.Policies[0].Spec.PodSelector.MatchLabels,
		"PodDisruptionBudget": o.Budgets[0].Spec.Selector.MatchLabels,
	}
	for kind, selector := range selectors {
		if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("the %s selects %v, pods have %v", kind, selector, pod.Labels)
		}
	}
	monitor := o.Monitors[0]
	if !labels.SelectorFromSet(monitor.Spec.Selector.MatchLabels).Matches(labels.Set(o.Services[0].Labels)) {
		t.Errorf("the ServiceMonitor selects %v, the Service has %v", monitor.Spec.Selector.MatchLabels, o.Services[0].Labels)
	}
	if monitor.Labels["release"] != "prometheus" || o.Rules[0].Labels["release"] != "prometheus" {
		t.Errorf("the operator will not find %v and %v", monitor.Labels, o.Rules[0].Labels)
	}
	port := pod.Spec.Containers[0].Ports[0].Name
	for kind, name := range map[string]string{
		"Service":       o.Services[0].Spec.Ports[0].TargetPort.String(),
		"NetworkPolicy": o.Policies[0].Spec.Ingress[0].Ports[0].Port.String(),
		"readiness":     pod.Spec.Containers[0].ReadinessProbe.HTTPGet.Port.String(),
	} {
		if name != port {
			t.Errorf("%s: port %s, want %s", kind, name, port)
		}
	}
	if monitor.Spec.Endpoints[0].Port != o.Services[0].Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor scrapes port %s", monitor.Spec.Endpoints[0].Port)
	}
}

// TestExporterTakesItsArguments checks each rendered configuration by the
// program itself, with the arguments of the first pod.
func TestExporterTakesItsArguments(t *testing.T) {
	bin := os.Getenv("BIN")
	if bin == "" {
		t.Fatal("BIN is not set; run make test-deploy")
	}
	for name := range valueSets {
		o := rendered(t, name)
		container := o.podTemplate(t).Spec.Containers[0]
		config := filepath.Join(t.TempDir(), "hedera_exporter.yml")
		for _, configMap := range o.ConfigMaps {
			if content, ok := configMap.Data["hedera_exporter.yml"]; ok {
				if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		arguments := []string{"--config.check"}
		for _, argument := range container.Args {
			argument = strings.ReplaceAll(argument, "/etc/hedera_exporter/hedera_exporter.yml", config)
			arguments = append(arguments, strings.ReplaceAll(argument, "$(POD_NAME)", "release-hedera-exporter-2"))
		}
		if text, err := exec.CommandContext(t.Context(), filepath.Join(bin, "hedera_exporter"), arguments...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %v\n%s", name, arguments, err, text)
		}
	}
	sharded := rendered(t, "everything").podTemplate(t).Spec.Containers[0]
	if field := sharded.Env[0].ValueFrom.FieldRef.FieldPath; sharded.Env[0].Name != "POD_NAME" || field != "metadata.name" {
		t.Errorf("POD_NAME is %s", field)
	}
	if !slices.Contains(sharded.Args, "--total-shards=3") {
		t.Errorf("arguments %v of three shards", sharded.Args)
	}
}

// TestPrometheusRuleHoldsEveryRule compares the groups with the rule files.
func TestPrometheusRuleHoldsEveryRule(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(rulesDir, "hedera.*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d rule files, %v", len(files), err)
	}
	var want []monitoringv1.RuleGroup
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var spec monitoringv1.PrometheusRuleSpec
		if err := yaml.UnmarshalStrict(content, &spec); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want = append(want, spec.Groups...)
	}
	got := rendered(t, "everything").Rules[0].Spec.Groups
	if len(got) != len(want) {
		t.Fatalf("%d groups, want %d", len(got), len(want))
	}
	for i, group := range want {
		if group.Name == "" || len(group.Rules) == 0 {
			t.Errorf("group %d of the rule files is empty", i)
		}
		if !reflect.DeepEqual(got[i], group) {
			t.Errorf("group %s differs from the rule file:\n%+v\nwant\n%+v", group.Name, got[i], group)
		}
	}
}

// TestPrometheusRuleTakesThresholds has a threshold with severities, and one
// without, changed, and all others kept.
func TestPrometheusRuleTakesThresholds(t *testing.T) {
	of := func(thresholds values) (map[string]string, error) {
		manifest, err := render(t, values{"prometheusRule": values{"enabled": true, "thresholds": thresholds}})
		if err != nil {
			return nil, err
		}
		found := map[string]string{}
		for _, group := range decode(t, manifest).Rules[0].Spec.Groups {
			for _, rule := range group.Rules {
				if name, is := strings.CutPrefix(rule.Record, "hedera:threshold:"); is {
					found[name+rule.Labels["severity"]] = rule.Expr.String()
				}
			}
		}
		return found, nil
	}
	want, err := of(values{})
	if err != nil || len(want) < 10 {
		t.Fatalf("%d thresholds, %v", len(want), err)
	}
	want["mirror_lag_secondswarning"], want["mirror_latency_seconds"], want["supply_move_hbar"] = "vector(15)", "vector(0.5)", "vector(2 / 3)"
	got, err := of(values{"mirror_lag_seconds": values{"warning": 15}, "mirror_latency_seconds": 0.5, "supply_move_hbar": "2 / 3"})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for name, thresholds := range map[string]values{
		"unknown":          {"mirror_lag": 15},
		"unknown, of 0":    {"mirror_lag": 0},
		"severity missing": {"mirror_lag_seconds": 15},
		"unknown severity": {"mirror_lag_seconds": values{"warning": 15, "info": 10}},
		"without severity": {"mirror_latency_seconds": values{"warning": 1}},
		"not a number":     {"mirror_latency_seconds": "fast"},
		"a query":          {"mirror_latency_seconds": "1) or vector(2"},
	} {
		if _, err := of(thresholds); err == nil || !strings.Contains(err.Error(), "thresholds") {
			t.Errorf("%s: %v, want an error of the threshold", name, err)
		}
	}
}

// wantDashboards fails unless each dashboard is in one ConfigMap, unchanged, that
// Grafana's sidecar finds and kubectl can apply.
func wantDashboards(t *testing.T, configMaps []corev1.ConfigMap) {
	t.Helper()
	const annotationLimit = 256 << 10 // of what kubectl apply keeps in an annotation
	files, err := filepath.Glob(filepath.Join(dashboardsDir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d dashboards, %v", len(files), err)
	}
	got := map[string]string{}
	for _, configMap := range configMaps {
		for name, content := range configMap.Data {
			if !strings.HasSuffix(name, ".json") {
				continue
			}
			got[name] = content
			if configMap.Labels["grafana_dashboard"] != "1" {
				t.Errorf("Grafana's sidecar will not find %s", configMap.Name)
			}
			if len(content) > annotationLimit {
				t.Errorf("ConfigMap %s: %d bytes, over %d", configMap.Name, len(content), annotationLimit)
			}
		}
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got[filepath.Base(file)] != string(content) {
			t.Errorf("%s is not in a ConfigMap as it is", file)
		}
	}
	if len(got) != len(files) {
		t.Errorf("%d dashboards, want %d", len(got), len(files))
	}
}

func TestChartHoldsEveryDashboard(t *testing.T) {
	wantDashboards(t, rendered(t, "everything").ConfigMaps)
}
