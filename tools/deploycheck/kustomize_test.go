// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// kustomize builds a directory as kubectl apply -k does, without flags.
func kustomize(t *testing.T, dir string) string {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return string(manifest)
}

const kubernetesDir = "../../deploy/kubernetes"

// kustomizations are the directories that kubectl apply -k takes.
func kustomizations(t *testing.T) []string {
	t.Helper()
	dirs := []string{dashboardsDir}
	if err := filepath.WalkDir(kubernetesDir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "kustomization.yaml" && readYAML(t, path)["kind"] == "Kustomization" {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 3 {
		t.Fatalf("kustomizations %v", dirs)
	}
	return dirs
}

// TestBaseIsAsTheChart compares what both have in a release of the base's name,
// except for the labels of Helm's and the image.
func TestBaseIsAsTheChart(t *testing.T) {
	bare := func(o objects) map[string]any {
		found := map[string]any{}
		for _, object := range o {
			meta := object.(metav1.Object) //nolint:forcetypeassert // every object is one
			labels := meta.GetLabels()
			for _, label := range []string{"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version"} {
				delete(labels, label)
			}
			meta.SetNamespace("")
			if deployment, ok := object.(*appsv1.Deployment); ok {
				deployment.Spec.Template.Spec.Containers[0].Image = "" // an overlay's
			}
			if configMap, ok := object.(*corev1.ConfigMap); ok {
				var config values
				if err := yaml.Unmarshal([]byte(configMap.Data["hedera_exporter.yml"]), &config); err != nil {
					t.Fatal(err)
				}
				found["configuration"], configMap.Data = config, nil
			}
			found[object.GetObjectKind().GroupVersionKind().Kind] = object
		}
		return found
	}
	manifest, err := renderAs(t, "hedera-exporter", values{"reloadInterval": "30s"})
	if err != nil {
		t.Fatal(err)
	}
	chart := bare(decode(t, manifest))
	base := bare(decode(t, kustomize(t, filepath.Join(kubernetesDir, "base"))))
	for kind, want := range chart {
		if got := base[kind]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", kind, got, want)
		}
	}
	if len(base) != len(chart) {
		t.Errorf("%d kinds of objects, want %d", len(base), len(chart))
	}
}

// TestOverlayUsesItsComponents looks for what each of them changes.
func TestOverlayUsesItsComponents(t *testing.T) {
	o := decode(t, kustomize(t, filepath.Join(kubernetesDir, "overlays", "example")))
	pod := podTemplate(t, o).Spec
	if pod.SecurityContext.RunAsUser != nil || pod.SecurityContext.RunAsGroup != nil || pod.SecurityContext.FSGroup != nil || !*pod.SecurityContext.RunAsNonRoot {
		t.Errorf("openshift: %+v", pod.SecurityContext)
	}
	chart := podTemplate(t, rendered(t, values{"web": values{"existingSecret": "hedera-exporter-web", "tls": true}})).Spec
	for name, equal := range map[string]bool{
		"liveness":  reflect.DeepEqual(pod.Containers[0].LivenessProbe, chart.Containers[0].LivenessProbe),
		"readiness": reflect.DeepEqual(pod.Containers[0].ReadinessProbe, chart.Containers[0].ReadinessProbe),
		"volume":    reflect.DeepEqual(pod.Volumes[1], chart.Volumes[1]),
		"mount":     reflect.DeepEqual(pod.Containers[0].VolumeMounts[1], chart.Containers[0].VolumeMounts[1]),
	} {
		if !equal {
			t.Errorf("tls: %s is not as in the chart", name)
		}
	}
	monitor, service := one[*monitoringv1.ServiceMonitor](t, o), one[*corev1.Service](t, o)
	if !labels.SelectorFromSet(monitor.Spec.Selector.MatchLabels).Matches(labels.Set(service.Labels)) || monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor selects %v and port %s, the Service has %v", monitor.Spec.Selector.MatchLabels, monitor.Spec.Endpoints[0].Port, service.Labels)
	}
	if *monitor.Spec.Endpoints[0].Scheme != "https" || monitor.Namespace != "monitoring" || monitor.Labels["release"] != "prometheus" {
		t.Errorf("%+v", monitor)
	}
	if image := pod.Containers[0].Image; image != "registry.example.com/hedera_exporter:v0.1.0" {
		t.Errorf("image %s", image)
	}
	if config := one[*corev1.ConfigMap](t, o); config.Name != "hedera-exporter" || !strings.Contains(config.Data["hedera_exporter.yml"], "testnet") {
		t.Errorf("configuration %v", config)
	}
	root := mounted(t, o, pod)
	args := append(arguments(root, pod.Containers[0]), "--config.check")
	if text, err := exec.CommandContext(t.Context(), program(t, "hedera_exporter"), args...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", args, err, text)
	}
}

func TestKustomizationHoldsEveryDashboard(t *testing.T) {
	wantDashboards(t, all[*corev1.ConfigMap](decode(t, kustomize(t, dashboardsDir))))
}
