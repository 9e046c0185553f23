// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

const (
	chartDir         = "../../deploy/helm/hedera-exporter"
	dashboardsDir    = "../../dashboards"
	rulesDir         = "../../alerts"
	releaseName      = "release"
	releaseNamespace = "monitoring"
)

type values = map[string]any

// valueSets are what the chart is rendered with: the default and the files in ci/,
// by name.
func valueSets(t *testing.T) map[string]values {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chartDir, "ci", "*-values.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of values, %v", len(files), err)
	}
	sets := map[string]values{"default": {}}
	for _, file := range files {
		set, err := chartutil.ReadValuesFile(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		sets[strings.TrimSuffix(filepath.Base(file), "-values.yaml")] = set
	}
	return sets
}

func render(t *testing.T, v values) (string, error) {
	t.Helper()
	return renderAs(t, releaseName, v)
}

func renderAs(t *testing.T, name string, v values) (string, error) {
	t.Helper()
	chart, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(&action.Configuration{})
	install.ClientOnly, install.DryRun = true, true
	install.ReleaseName, install.Namespace = name, releaseNamespace
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.30.0", Major: "1", Minor: "30"}
	release, err := install.RunWithContext(t.Context(), chart, v)
	if err != nil {
		return "", err
	}
	return release.Manifest, nil
}

func rendered(t *testing.T, v values) objects {
	t.Helper()
	manifest, err := render(t, v)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, manifest)
}

func TestLint(t *testing.T) {
	for name, v := range valueSets(t) {
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
	sets := valueSets(t)
	for name, want := range map[string]string{
		"default":    "1 ConfigMap, 1 Deployment, 1 NetworkPolicy, 1 PodDisruptionBudget, 1 Service, 1 ServiceAccount",
		"everything": "9 ConfigMap, 1 HTTPRoute, 1 Ingress, 1 NetworkPolicy, 1 PodDisruptionBudget, 1 PodMonitor, 1 PrometheusRule, 1 Secret, 1 Service, 1 ServiceAccount, 1 ServiceMonitor, 1 StatefulSet",
		"least":      "1 ConfigMap, 1 Deployment, 1 Service",
		"monitored":  "7 ConfigMap, 1 Deployment, 1 HTTPRoute, 1 Ingress, 1 NetworkPolicy, 1 PodDisruptionBudget, 1 PrometheusRule, 1 Service, 1 ServiceAccount, 1 ServiceMonitor",
		"openshift":  "1 Deployment, 1 NetworkPolicy, 1 PodDisruptionBudget, 1 PodMonitor, 1 Service, 1 ServiceAccount",
		"sharded":    "1 NetworkPolicy, 1 PodDisruptionBudget, 1 Service, 1 ServiceAccount, 1 StatefulSet",
	} {
		counts := map[string]int{}
		for _, object := range rendered(t, sets[name]) {
			counts[object.GetObjectKind().GroupVersionKind().Kind]++
		}
		var got []string
		for _, kind := range slices.Sorted(maps.Keys(counts)) {
			got = append(got, fmt.Sprintf("%d %s", counts[kind], kind))
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		delete(sets, name)
	}
	if len(sets) > 0 {
		t.Errorf("not compared: %v", slices.Collect(maps.Keys(sets)))
	}
}

// TestEveryObjectIsTheReleases looks at what the metadata of all objects have in
// common; extra manifests bring their own.
func TestEveryObjectIsTheReleases(t *testing.T) {
	sets := valueSets(t)
	delete(sets["everything"], "extraManifests")
	for name, v := range sets {
		for _, object := range rendered(t, v) {
			meta := object.(metav1.Object) //nolint:forcetypeassert // every object is one
			kind := object.GetObjectKind().GroupVersionKind().Kind
			if meta.GetLabels()["app.kubernetes.io/instance"] != releaseName || meta.GetLabels()["helm.sh/chart"] == "" {
				t.Errorf("%s: labels of %s %s: %v", name, kind, meta.GetName(), meta.GetLabels())
			}
			namespace, prefix := releaseNamespace, "release-hedera-exporter"
			if name == "everything" {
				namespace, prefix = "hedera-everything", "hedera"
				if meta.GetLabels()["example.com/team"] != "platform" {
					t.Errorf("%s %s has not commonLabels: %v", kind, meta.GetName(), meta.GetLabels())
				}
				switch {
				case kind == "ServiceMonitor", kind == "PodMonitor", kind == "PrometheusRule", strings.Contains(meta.GetName(), "everything-hedera-"):
					namespace = "hedera-monitoring"
				}
			}
			if meta.GetNamespace() != namespace || !strings.HasPrefix(meta.GetName(), prefix) {
				t.Errorf("%s: %s %s/%s, want %s/%s…", name, kind, meta.GetNamespace(), meta.GetName(), namespace, prefix)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		values values
		name   string
		label  string
	}{
		{values{}, "release-hedera-exporter", "hedera-exporter"},
		{values{"nameOverride": "exporter"}, "release-exporter", "exporter"},
		{values{"nameOverride": "release"}, "release", "release"},
		{values{"fullnameOverride": "hedera"}, "hedera", "hedera-exporter"},
		{values{"fullnameOverride": strings.Repeat("a", 63), "shards": 2}, strings.Repeat("a", 50), "hedera-exporter"},
	} {
		service := one[*corev1.Service](t, rendered(t, test.values))
		if service.Name != test.name || service.Spec.Selector["app.kubernetes.io/name"] != test.label {
			t.Errorf("%v: Service %s selects %v, want %s and %s", test.values, service.Name, service.Spec.Selector, test.name, test.label)
		}
	}
}

func TestImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for want, image := range map[string]values{
		"a:latest":                  {"repository": "a"},
		"a:v1":                      {"repository": "a", "tag": "v1"},
		"a@" + digest:               {"repository": "a", "tag": "v1", "digest": digest},
		"registry.example.com/a:v1": {"repository": "a", "tag": "v1", "registry": "registry.example.com"},
		"registry.example.com:5000/a/b@" + digest:   {"registry": "registry.example.com:5000/", "repository": "a/b", "digest": digest},
		"registry.example.com/hedera_exporter:v1.2": {"repository": "registry.example.com/hedera_exporter", "tag": "v1.2"},
	} {
		if got := podTemplate(t, rendered(t, values{"image": image})).Spec.Containers[0].Image; got != want {
			t.Errorf("%v: %s, want %s", image, got, want)
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
	pods := map[string]corev1.PodTemplateSpec{}
	for name, v := range valueSets(t) {
		pods[name] = podTemplate(t, rendered(t, v))
	}
	for _, dir := range kustomizations(t) {
		if dir != dashboardsDir {
			pods[dir] = podTemplate(t, decode(t, kustomize(t, dir)))
		}
	}
	for name, pod := range pods {
		for _, result := range evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		if !*pod.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s: the root file system can be written", name)
		}
		if *pod.Spec.AutomountServiceAccountToken != (name == "everything") {
			t.Errorf("%s: token mounted: %v", name, *pod.Spec.AutomountServiceAccountToken)
		}
	}
}

// TestOpenShiftSetsTheUser has what restricted-v2 asks for beyond the restricted
// standard: no user or group, for they are of the namespace's range.
func TestOpenShiftSetsTheUser(t *testing.T) {
	for name, v := range map[string]values{
		"switch":  valueSets(t)["openshift"],
		"by hand": {"podSecurityContext": values{"runAsUser": nil, "runAsGroup": nil, "fsGroup": nil}},
	} {
		pod := podTemplate(t, rendered(t, v)).Spec
		if context := pod.SecurityContext; context.RunAsUser != nil || context.RunAsGroup != nil || context.FSGroup != nil || context.SupplementalGroups != nil {
			t.Errorf("%s: %+v", name, context)
		}
		if context := pod.Containers[0].SecurityContext; context.RunAsUser != nil || context.RunAsGroup != nil {
			t.Errorf("%s: %+v", name, context)
		}
		if !*pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: %+v", name, pod.SecurityContext)
		}
	}
	if user := podTemplate(t, rendered(t, values{})).Spec.SecurityContext.RunAsUser; user == nil || *user != 65534 {
		t.Errorf("user %v without OpenShift", user)
	}
}

// TestEverythingSelectsThePods finds ports by name and pods by their labels.
func TestEverythingSelectsThePods(t *testing.T) {
	o := rendered(t, valueSets(t)["everything"])
	pod := podTemplate(t, o)
	service, stateful, network := one[*corev1.Service](t, o), one[*appsv1.StatefulSet](t, o), one[*networkingv1.NetworkPolicy](t, o)
	monitor, podMonitor := one[*monitoringv1.ServiceMonitor](t, o), one[*monitoringv1.PodMonitor](t, o)
	selectors := map[string]map[string]string{
		"StatefulSet":         stateful.Spec.Selector.MatchLabels,
		"Service":             service.Spec.Selector,
		"NetworkPolicy":       network.Spec.PodSelector.MatchLabels,
		"PodDisruptionBudget": one[*policyv1.PodDisruptionBudget](t, o).Spec.Selector.MatchLabels,
		"PodMonitor":          podMonitor.Spec.Selector.MatchLabels,
		"topology":            pod.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
	}
	for kind, selector := range selectors {
		if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("the %s selects %v, pods have %v", kind, selector, pod.Labels)
		}
	}
	if !labels.SelectorFromSet(monitor.Spec.Selector.MatchLabels).Matches(labels.Set(service.Labels)) {
		t.Errorf("the ServiceMonitor selects %v, the Service has %v", monitor.Spec.Selector.MatchLabels, service.Labels)
	}
	for kind, selector := range map[string]monitoringv1.NamespaceSelector{"ServiceMonitor": monitor.Spec.NamespaceSelector, "PodMonitor": podMonitor.Spec.NamespaceSelector} {
		if !slices.Equal(selector.MatchNames, []string{service.Namespace}) {
			t.Errorf("the %s looks in %v", kind, selector.MatchNames)
		}
	}
	container := pod.Spec.Containers[0]
	port := container.Ports[0].Name
	for kind, name := range map[string]string{
		"Service":       service.Spec.Ports[0].TargetPort.String(),
		"NetworkPolicy": network.Spec.Ingress[0].Ports[0].Port.String(),
		"startup":       container.StartupProbe.TCPSocket.Port.String(),
		"PodMonitor":    *podMonitor.Spec.PodMetricsEndpoints[0].Port,
	} {
		if name != port {
			t.Errorf("%s: port %s, want %s", kind, name, port)
		}
	}
	if monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor scrapes port %s", monitor.Spec.Endpoints[0].Port)
	}
	for _, rule := range one[*networkingv1.Ingress](t, o).Spec.Rules {
		for _, path := range rule.HTTP.Paths {
			if backend := path.Backend.Service; backend.Name != service.Name || backend.Port.Name != service.Spec.Ports[0].Name {
				t.Errorf("the Ingress's backend is %+v", backend)
			}
		}
	}
	if backend := one[*gatewayv1.HTTPRoute](t, o).Spec.Rules[0].BackendRefs[0]; string(backend.Name) != service.Name || *backend.Port != service.Spec.Ports[0].Port {
		t.Errorf("the HTTPRoute's backend is %+v", backend)
	}
	for _, mount := range container.VolumeMounts {
		if !slices.ContainsFunc(pod.Spec.Volumes, func(volume corev1.Volume) bool { return volume.Name == mount.Name }) {
			t.Errorf("no volume %s", mount.Name)
		}
	}
}

// TestPolicyOpensNoPortByMistake: a rule without ports would allow all of them.
func TestPolicyOpensNoPortByMistake(t *testing.T) {
	for name, test := range map[string]struct {
		policy values
		rules  int
	}{
		"default":   {values{}, 2},
		"no DNS":    {values{"dnsPorts": []any{}}, 1},
		"no egress": {values{"egressPorts": []any{}}, 1},
		"nothing":   {values{"dnsPorts": []any{}, "egressPorts": []any{}}, 0},
	} {
		spec := one[*networkingv1.NetworkPolicy](t, rendered(t, values{"networkPolicy": test.policy})).Spec
		if len(spec.Egress) != test.rules || !slices.Contains(spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
			t.Errorf("%s: %d rules, want %d; types %v", name, len(spec.Egress), test.rules, spec.PolicyTypes)
		}
		for _, rule := range spec.Egress {
			if len(rule.Ports) == 0 {
				t.Errorf("%s: a rule allows all ports", name)
			}
		}
	}
	var ports []string
	for _, port := range one[*networkingv1.NetworkPolicy](t, rendered(t, values{})).Spec.Egress[0].Ports {
		ports = append(ports, fmt.Sprintf("%s/%s", port.Port, *port.Protocol))
	}
	if want := []string{"53/UDP", "53/TCP", "5353/UDP", "5353/TCP"}; !slices.Equal(ports, want) {
		t.Errorf("ports of DNS %v, want %v", ports, want)
	}
}

// TestWeb has probes and monitors follow TLS and passwords.
func TestWeb(t *testing.T) {
	const certificate = "tls_server_config"
	users := values{"basic_auth_users": values{"u": "$2y$10$x"}}
	for name, test := range map[string]struct {
		web    values
		exec   string
		scheme monitoringv1.Scheme
		secret string
	}{
		"none":         {values{}, "", "http", ""},
		"password":     {values{"config": users}, "http", "http", "release-hedera-exporter-web"},
		"TLS":          {values{"config": values{certificate: values{"cert_file": "a"}}}, "https", "https", "release-hedera-exporter-web"},
		"existing":     {values{"existingSecret": "web"}, "http", "http", "web"},
		"existing TLS": {values{"existingSecret": "web", "tls": true}, "https", "https", "web"},
	} {
		o := rendered(t, values{"web": test.web, "serviceMonitor": values{"enabled": true}, "podMonitor": values{"enabled": true}, "startupProbe": values{"enabled": true}})
		pod := podTemplate(t, o).Spec
		container := pod.Containers[0]
		for path, probe := range map[string]*corev1.Probe{"/-/healthy": container.LivenessProbe, "/-/ready": container.ReadinessProbe} {
			switch {
			case test.exec == "" && (probe.Exec != nil || probe.HTTPGet.Path != path):
				t.Errorf("%s: probe %+v, want %s", name, probe, path)
			case test.exec != "" && (probe.HTTPGet != nil || !slices.Equal(probe.Exec.Command, []string{"/bin/hedera_exporter", "healthcheck", "--insecure-skip-verify", "--url=" + test.exec + "://127.0.0.1:10102" + path})):
				t.Errorf("%s: probe %+v, want exec of %s", name, probe, path)
			}
		}
		monitor, podMonitor := one[*monitoringv1.ServiceMonitor](t, o).Spec.Endpoints[0], one[*monitoringv1.PodMonitor](t, o).Spec.PodMetricsEndpoints[0]
		if *monitor.Scheme != test.scheme || *podMonitor.Scheme != test.scheme {
			t.Errorf("%s: scheme %s and %s, want %s", name, *monitor.Scheme, *podMonitor.Scheme, test.scheme)
		}
		secret := ""
		for _, volume := range pod.Volumes {
			if volume.Name == "web" {
				secret = volume.Secret.SecretName
			}
		}
		if secret != test.secret || (test.secret != "") != slices.Contains(container.Args, "--web.config.file=/etc/hedera_exporter_web/web-config.yml") {
			t.Errorf("%s: Secret %s, want %s; arguments %v", name, secret, test.secret, container.Args)
		}
	}
	for want, v := range map[string]values{
		"exclude each other":  {"config": users, "existingSecret": "web"},
		"is for existingSecr": {"tls": true},
	} {
		if _, err := render(t, values{"web": v}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", v, err, want)
		}
	}
}

// TestProbesKeepWhatIsSet merges fields, and leaves a handler alone.
func TestProbesKeepWhatIsSet(t *testing.T) {
	container := podTemplate(t, rendered(t, values{
		"web":            values{"existingSecret": "web", "tls": true}, // with client certificates, say
		"livenessProbe":  values{"periodSeconds": 20, "timeoutSeconds": 9},
		"readinessProbe": values{"tcpSocket": values{"port": "metrics"}},
	})).Spec.Containers[0]
	if probe := container.LivenessProbe; probe.PeriodSeconds != 20 || probe.TimeoutSeconds != 9 || probe.Exec == nil {
		t.Errorf("liveness %+v", probe)
	}
	if probe := container.ReadinessProbe; probe.TCPSocket == nil || probe.Exec != nil || probe.HTTPGet != nil {
		t.Errorf("readiness %+v", probe)
	}
	if container.StartupProbe != nil {
		t.Errorf("startup %+v", container.StartupProbe)
	}
}

// TestChangedConfiguration restarts the pods, unless the exporter reloads it.
func TestChangedConfiguration(t *testing.T) {
	config := func(network string) values { return values{"networks": values{network: values{}}} }
	annotations := func(v values, network string) map[string]string {
		v = maps.Clone(v)
		v["config"] = config(network)
		return podTemplate(t, rendered(t, v)).Annotations
	}
	for name, test := range map[string]struct {
		values  values
		restart bool
	}{
		"default":  {values{}, true},
		"accounts": {values{"accountsFiles": values{"accounts.csv": "id\n0.0.98\n"}}, true},
		"reload":   {values{"reloadInterval": "30s"}, false},
		"existing": {values{"existingConfigMap": "mine"}, false},
	} {
		if restart := !maps.Equal(annotations(test.values, "mainnet"), annotations(test.values, "testnet")); restart != test.restart {
			t.Errorf("%s: pods restart: %v, want %v", name, restart, test.restart)
		}
	}
	accounts := func(text string) values { return values{"accountsFiles": values{"accounts.csv": text}} }
	if maps.Equal(annotations(accounts("id\n0.0.98\n"), "mainnet"), annotations(accounts("id\n0.0.99\n"), "mainnet")) {
		t.Error("pods do not restart when accountsFiles change")
	}
	if args := podTemplate(t, rendered(t, values{"reloadInterval": "30s"})).Spec.Containers[0].Args; !slices.Contains(args, "--config.auto-reload-interval=30s") {
		t.Errorf("arguments %v", args)
	}
}

func TestExistingConfiguration(t *testing.T) {
	for key, source := range map[string]func(corev1.Volume) string{
		"existingConfigMap": func(v corev1.Volume) string { return v.ConfigMap.Name },
		"existingSecret":    func(v corev1.Volume) string { return v.Secret.SecretName },
	} {
		o := rendered(t, values{key: "mine"})
		if len(all[*corev1.ConfigMap](o)) > 0 || source(podTemplate(t, o).Spec.Volumes[0]) != "mine" {
			t.Errorf("%s: there is a ConfigMap, or another volume", key)
		}
	}
	if _, err := render(t, values{"existingConfigMap": "a", "existingSecret": "b"}); err == nil || !strings.Contains(err.Error(), "exclude each other") {
		t.Errorf("both: %v", err)
	}
}

// wantDashboards fails unless each dashboard is in one ConfigMap, unchanged, that
// Grafana's sidecar finds and kubectl can apply.
func wantDashboards(t *testing.T, configMaps []*corev1.ConfigMap) {
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
			if configMap.Labels["grafana_dashboard"] != "1" || configMap.Annotations["grafana_folder"] != "Hedera" {
				t.Errorf("Grafana's sidecar will not find %s, or its folder: %v, %v", configMap.Name, configMap.Labels, configMap.Annotations)
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
	wantDashboards(t, all[*corev1.ConfigMap](rendered(t, values{"dashboards": values{"enabled": true}})))
}

func TestRunbookBaseURL(t *testing.T) {
	manifest, err := render(t, valueSets(t)["monitored"])
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(manifest, "docs/runbooks") || strings.Count(manifest, "https://wiki.example.com/runbooks/Hedera") < 100 {
		t.Errorf("%d links to the runbooks", strings.Count(manifest, "https://wiki.example.com/runbooks/Hedera"))
	}
}

// TestChartHasNoLinks: some ways to fetch a chart do not follow them. What they
// would point to is copied by make generate, and the copies are the same.
func TestChartHasNoLinks(t *testing.T) {
	copies := map[string]string{}
	if err := filepath.WalkDir(chartDir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Type()&os.ModeSymlink != 0 {
			t.Errorf("%s is a symbolic link", path)
		}
		if relative, err := filepath.Rel(filepath.Join(chartDir, "files"), path); err == nil && !entry.IsDir() && !strings.HasPrefix(relative, "..") {
			copies[relative] = path
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"alerts/hedera.*.yml", "dashboards/*.json"} {
		originals, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil || len(originals) == 0 {
			t.Fatalf("%d of %s, %v", len(originals), pattern, err)
		}
		for _, original := range originals {
			relative, err := filepath.Rel("../..", original)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(original)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(copies[relative]); err != nil || !bytes.Equal(got, want) {
				t.Errorf("files/%s is not as %s: run make generate; %v", relative, original, err)
			}
			delete(copies, relative)
		}
	}
	if len(copies) > 0 {
		t.Errorf("copies of nothing: %v", copies)
	}
}

func readYAML(t *testing.T, file string) (v values) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}
